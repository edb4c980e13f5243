// HTTP/1 heads as bytes. A message is written from what was understood, never copied through.
#pragma once

#include <cstddef>

#include "http/message.h"

namespace rproxy::http {

// The framing and connection fields are the serializer's business: Content-Length, Transfer-Encoding, Connection and Upgrade in
// `head.fields` are skipped, and what these options say is written.
struct WriteOptions {
  BodyLength body;
  bool close = false;              // "Connection: close"; beside an upgrade, both
  bool keep_alive_field = false;   // "Connection: keep-alive", for HTTP/1.0 clients that asked
  std::string_view upgrade;        // the Upgrade value; adds "Connection: upgrade"
  bool no_content_length = false;  // 1xx, 204, 304 without one, answers to HEAD with unknown length
};

// An upper bound of what write_head() needs.
std::size_t head_size_max(const RequestHead& head, const WriteOptions& options);
std::size_t head_size_max(const ResponseHead& head, const WriteOptions& options);

// Writes the request line in origin-form from path and query ("*" as it is), then "Host: authority" first, then the fields (any Host
// line in them skipped). kFixed writes Content-Length (0 too, where the method defines content: POST, PUT, PATCH); kChunked writes
// Transfer-Encoding; kNone writes neither. Returns the end of what was written.
char* write_head(char* out, const RequestHead& head, const WriteOptions& options);

// Always "HTTP/1.1" (RFC 9110 6.2). kFixed: Content-Length; kChunked: Transfer-Encoding: chunked; kUntilClose and kNone: neither, but
// kNone with !no_content_length writes "Content-Length: 0". An answer to HEAD or a 304 that carries the length of what GET
// would send passes kFixed.
char* write_head(char* out, const ResponseHead& head, const WriteOptions& options);

}  // namespace rproxy::http
