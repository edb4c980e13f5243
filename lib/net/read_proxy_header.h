// Takes the PROXY header off the beginning of a connection.
#pragma once

#include <string>

#include "net/proxy_protocol.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::net {

// A header together with the bytes that its texts view. Stays where it is.
struct ReceivedProxyHeader {
  ReceivedProxyHeader() = default;
  ReceivedProxyHeader(const ReceivedProxyHeader&) = delete;
  ReceivedProxyHeader& operator=(const ReceivedProxyHeader&) = delete;

  ProxyHeader header;
  std::string bytes;
};

// What follows the header stays in the stream's input. Errors: kBadRequest, kReadTimeout (`timeout` is for all of it; 0: no limit) and
// what fill() fails with; kClosed with the context empty where the peer ended before the first byte, as checks of a port do.
Task<Result<void>> read_proxy_header(Stream& stream, std::size_t size_max, Duration timeout, ReceivedProxyHeader& out);

}  // namespace rproxy::net
