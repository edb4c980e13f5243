// HTTP/1 heads, parsed in place and strictly (RFC 9112). What a server may reject, these reject: nothing ambiguous is ever forwarded.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "base/units.h"
#include "http/message.h"
#include "http/path.h"

namespace rproxy::http {

struct HeadLimits {
  ByteSize head = 32_KiB;    // start line and fields together; over: 431 (414 while still in the request target)
  ByteSize target = 8_KiB;   // over: 414
  std::size_t fields = 100;  // over: 431
  bool operator==(const HeadLimits&) const = default;
};

enum class ParseProgress : std::uint8_t { kNeedMore, kDone };

// One message's head, line by line as lines complete, so that a bad line is refused before the rest arrives.
//
// feed() is given the message from its first byte each time; the bytes must not have moved since the last call, because the head
// holds views of them. Between calls only the length grows. Cost is linear in bytes however they are split.
class RequestHeadParser {
 public:
  // `head`, `arena` and `limits` outlive the parser's use. The head must be empty (reset) to begin with.
  RequestHeadParser(RequestHead& head, Arena& arena, const HeadLimits& limits, const PathPolicy& paths)
      : head_(head), arena_(arena), limits_(limits), paths_(paths) {}

  // kDone: the head is complete and validated, consumed() tells its size and head.body how the content ends.
  // Errors carry kBadRequest (400), kUriTooLong (414), kHeadTooLarge (431), kMethodUnsupported (501), kVersionUnsupported (505),
  // kExpectationFailed (417); Side::kClient; context says what was wrong without repeating hostile bytes.
  // Up to one empty line before the request line is skipped (RFC 9112 2.2).
  Result<ParseProgress> feed(std::string_view bytes);

  std::size_t consumed() const { return offset_; }
  // False until the first byte of a request line: an idle connection may be closed without a 408.
  bool has_begun() const { return begun_; }

 private:
  Result<void> parse_request_line(std::string_view line);
  Result<void> finish();

  RequestHead& head_;
  Arena& arena_;
  const HeadLimits& limits_;
  const PathPolicy& paths_;
  std::size_t offset_ = 0;   // start of the line being collected
  std::size_t scanned_ = 0;  // bytes already searched for a line end
  bool begun_ = false;
  bool have_start_line_ = false;
  bool skipped_empty_line_ = false;
};

class ResponseHeadParser {
 public:
  // `request_method` decides the framing of answers to HEAD and CONNECT (RFC 9112 6.3).
  ResponseHeadParser(ResponseHead& head, const HeadLimits& limits, Method request_method)
      : head_(head), limits_(limits), request_method_(request_method) {}

  // Errors carry kBadResponse or kHeadTooLarge, Side::kUpstream.
  Result<ParseProgress> feed(std::string_view bytes);

  std::size_t consumed() const { return offset_; }

 private:
  Result<void> parse_status_line(std::string_view line);
  Result<void> finish();

  ResponseHead& head_;
  const HeadLimits& limits_;
  Method request_method_;
  std::size_t offset_ = 0;
  std::size_t scanned_ = 0;
  bool have_start_line_ = false;
};

}  // namespace rproxy::http
