#include "http/head_parser.h"

#include <algorithm>

#include "http/characters.h"
#include "http/head_lines.h"
#include "http/hop_by_hop.h"
#include "http/request_target.h"

namespace rproxy::http {
namespace {

// Longer than any method in the IANA registry.
constexpr std::size_t kMethodMax = 32;
// What a request line has beside its target.
constexpr std::size_t kLineOverhead = kMethodMax + sizeof("  HTTP/1.1") - 1;

tl::unexpected<Error> bad_request(const char* reason, ErrorCode code = ErrorCode::kBadRequest) {
  return fail(code, Side::kClient, Retry::kNever, reason);
}

tl::unexpected<Error> bad_response(const char* reason, ErrorCode code = ErrorCode::kBadResponse) {
  return fail(code, Side::kUpstream, Retry::kNever, reason);
}

// "HTTP/1.x". A later minor version is answered as 1.1 (RFC 9110 2.5).
bool parse_version(std::string_view text, Version& version) {
  if (text.size() != 8 || text.substr(0, 7) != "HTTP/1." || text[7] < '0' || text[7] > '9') return false;
  version = text[7] == '0' ? Version::kHttp10 : Version::kHttp11;
  return true;
}

// A version of HTTP that is not ours, as opposed to no version at all.
bool is_other_version(std::string_view text) {
  return text.size() == 8 && text.substr(0, 5) == "HTTP/" && text[5] >= '0' && text[5] <= '9' && text[6] == '.' &&
         text[7] >= '0' && text[7] <= '9';
}

bool accepts_trailers(const Fields& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    return field.id == FieldId::kTe && list_contains(field.value, "trailers");
  });
}

}  // namespace

Result<ParseProgress> RequestHeadParser::feed(std::string_view bytes) {
  if (!begun_ && offset_ < bytes.size()) {
    const char first = bytes[offset_];
    // RFC 9112 2.2: one empty line before the request is forgiven. Anything else that can't begin a method is refused at once.
    if (first == '\r' && !skipped_empty_line_) {
      if (bytes.size() < 2) return ParseProgress::kNeedMore;
      if (bytes[1] == '\n') {
        skipped_empty_line_ = true;
        offset_ = scanned_ = 2;
        return feed(bytes);
      }
    }
    begun_ = true;
    if (!is(first, kTokenChar)) return bad_request("no request line");
  }
  for (;;) {
    bool bad_end = false;
    const auto line = next_line(bytes, offset_, scanned_, bad_end);
    const std::size_t used = line ? scanned_ : bytes.size();
    if (used > limits_.head.bytes) {
      return have_start_line_ ? bad_request("request head too large", ErrorCode::kHeadTooLarge)
                              : bad_request("request line too long", ErrorCode::kUriTooLong);
    }
    if (!line) {
      if (!have_start_line_ && used - offset_ > limits_.target.bytes + kLineOverhead + 1) {
        return bad_request("request target too long", ErrorCode::kUriTooLong);
      }
      return ParseProgress::kNeedMore;
    }
    if (bad_end) return bad_request("line does not end in CRLF");
    offset_ = scanned_;
    if (!have_start_line_) {
      if (auto parsed = parse_request_line(*line); !parsed) return fail(std::move(parsed.error()));
      have_start_line_ = true;
    } else if (line->empty()) {
      if (auto finished = finish(); !finished) return fail(std::move(finished.error()));
      return ParseProgress::kDone;
    } else {
      if (head_.fields.size() == limits_.fields) return bad_request("too many headers", ErrorCode::kHeadTooLarge);
      if (const char* wrong = parse_field_line(*line, head_.fields)) return bad_request(wrong);
    }
  }
}

Result<void> RequestHeadParser::parse_request_line(std::string_view line) {
  if (line.size() > limits_.target.bytes + kLineOverhead) {
    return bad_request("request line too long", ErrorCode::kUriTooLong);
  }
  const auto method_end = line.find(' ');
  const auto method = line.substr(0, method_end);
  if (!is_token(method)) return bad_request("invalid method");
  if (method.size() > kMethodMax) return bad_request("method too long", ErrorCode::kMethodUnsupported);
  if (method_end == std::string_view::npos) return bad_request("request line without a target");
  head_.method = method;
  head_.method_id = method_id(method);
  const auto rest = line.substr(method_end + 1);
  const auto target_end = rest.find(' ');
  if (target_end == std::string_view::npos) return bad_request("request line without a version");
  const auto version = rest.substr(target_end + 1);
  if (!parse_version(version, head_.version)) {
    return is_other_version(version) ? bad_request("unsupported HTTP version", ErrorCode::kVersionUnsupported)
                                     : bad_request("invalid HTTP version");
  }
  const auto target = rest.substr(0, target_end);
  if (target.size() > limits_.target.bytes) return bad_request("request target too long", ErrorCode::kUriTooLong);
  // A front door opens no tunnels to elsewhere.
  if (head_.method_id == Method::kConnect) return bad_request("CONNECT", ErrorCode::kMethodUnsupported);
  if (const char* wrong = parse_request_target(target, head_, paths_, arena_)) return bad_request(wrong);
  return {};
}

Result<void> RequestHeadParser::finish() {
  const Fields& fields = head_.fields;
  const std::size_t hosts = fields.count(FieldId::kHost);
  // RFC 9112 3.2: in HTTP/1.1 exactly one, whatever the target's form.
  if (hosts > 1) return bad_request("repeated Host");
  if (hosts == 0 && head_.version != Version::kHttp10) return bad_request("no Host");
  if (hosts == 1) {
    const bool from_target = !head_.authority.empty();
    const auto authority = head_.authority;
    if (const char* wrong = set_authority(fields.get(FieldId::kHost), head_, arena_)) return bad_request(wrong);
    if (from_target) (void)set_authority(authority, head_, arena_);
  }
  const Framing framing = read_framing(fields, head_.version);
  if (framing.fault == Framing::Fault::kMalformed) return bad_request(framing.reason);
  if (framing.fault == Framing::Fault::kUnknownCoding) {
    return bad_request(framing.reason, ErrorCode::kMethodUnsupported);
  }
  if (framing.chunked) {
    head_.body = {BodyLength::Kind::kChunked, 0};
  } else if (framing.has_length) {
    head_.body = {BodyLength::Kind::kFixed, framing.length};
  }
  head_.keep_alive = wants_keep_alive(fields, head_.version);
  // RFC 9110 7.6.1: we would have to remove it, and the sender must not have named it.
  if (nominates_end_to_end_field(fields)) return bad_request("Connection names a header that is not of one hop");
  head_.drops_trailers = nominates_fields(fields);
  if (head_.version == Version::kHttp10) {
    // RFC 9110 10.1.1: ignored, and not forwarded in an HTTP/1.1 request, where it would count.
    head_.fields.remove(FieldId::kExpect);
    return {};
  }
  if (const char* wrong = read_expectation(head_)) return bad_request(wrong, ErrorCode::kExpectationFailed);
  head_.upgrade = wants_upgrade(fields);
  head_.accepts_trailers = accepts_trailers(fields);
  return {};
}

Result<ParseProgress> ResponseHeadParser::feed(std::string_view bytes) {
  for (;;) {
    bool bad_end = false;
    const auto line = next_line(bytes, offset_, scanned_, bad_end);
    if ((line ? scanned_ : bytes.size()) > limits_.head.bytes) {
      return bad_response("response head too large", ErrorCode::kHeadTooLarge);
    }
    if (!line) {
      // What does not begin as HTTP is refused without waiting for a line.
      constexpr std::string_view kBegin = "HTTP/1.";
      const auto size = std::min(bytes.size(), kBegin.size());
      if (!have_start_line_ && bytes.substr(0, size) != kBegin.substr(0, size)) return bad_response("not HTTP/1");
      return ParseProgress::kNeedMore;
    }
    if (bad_end) return bad_response("line does not end in CRLF");
    offset_ = scanned_;
    if (!have_start_line_) {
      if (auto parsed = parse_status_line(*line); !parsed) return fail(std::move(parsed.error()));
      have_start_line_ = true;
    } else if (line->empty()) {
      if (auto finished = finish(); !finished) return fail(std::move(finished.error()));
      return ParseProgress::kDone;
    } else {
      if (head_.fields.size() == limits_.fields) return bad_response("too many headers", ErrorCode::kHeadTooLarge);
      if (const char* wrong = parse_field_line(*line, head_.fields)) return bad_response(wrong);
    }
  }
}

Result<void> ResponseHeadParser::parse_status_line(std::string_view line) {
  if (line.size() < 12 || !parse_version(line.substr(0, 8), head_.version) || line[8] != ' ') {
    return bad_response("invalid status line");
  }
  std::uint16_t status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return bad_response("invalid status code");
    status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  }
  // RFC 9110 15: the first digit is 1 to 5.
  if (status < 100 || status > 599) return bad_response("invalid status code");
  head_.status = status;
  // The space before an empty reason is missing from many servers' lines, and nothing hangs on it.
  if (line.size() > 12) {
    if (line[12] != ' ' || !is_field_text(line.substr(13))) return bad_response("invalid reason");
    head_.reason = line.substr(13);
  }
  return {};
}

Result<void> ResponseHeadParser::finish() {
  const Framing framing = read_framing(head_.fields, head_.version);
  if (framing.fault != Framing::Fault::kNone) return bad_response(framing.reason);
  head_.keep_alive = wants_keep_alive(head_.fields, head_.version);
  head_.drops_trailers = nominates_fields(head_.fields);
  const std::uint16_t status = head_.status;
  // RFC 9112 6.3, in its order.
  if (!may_have_content(request_method_, status)) {
    head_.body = {};
  } else if (framing.chunked) {
    head_.body = {BodyLength::Kind::kChunked, 0};
  } else if (framing.has_length) {
    head_.body = {BodyLength::Kind::kFixed, framing.length};
  } else {
    head_.body = {BodyLength::Kind::kUntilClose, 0};
    head_.keep_alive = false;
  }
  return {};
}

}  // namespace rproxy::http
