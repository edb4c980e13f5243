#include "http2/header_block.h"

#include <algorithm>
#include <utility>

#include "http/characters.h"
#include "http/head_lines.h"
#include "http/request_target.h"
#include "http/trailer.h"

namespace rproxy::http2 {

using http::BodyLength;
using http::FieldId;

namespace {

// Longer than any method in the IANA registry.
constexpr std::size_t kMethodMax = 32;
constexpr std::size_t kLineOverhead = 32;
// So far over its limit, a header section is meant to cost.
constexpr std::size_t kAbsurd = 4;

tl::unexpected<Error> bad_request(const char* reason, ErrorCode code = ErrorCode::kBadRequest) {
  return fail(code, Side::kClient, Retry::kNever, reason);
}

// Where nothing says how long the content is, its end will.
BodyLength length_of(const http::Fields& fields, bool has_content) {
  if (!has_content) return {};
  if (const auto declared = http::declared_length(fields)) return {BodyLength::Kind::kFixed, *declared};
  return {BodyLength::Kind::kChunked, 0};
}

}  // namespace

void HeaderBlock::start(http::Fields& fields, Arena& arena, const http::HeadLimits& limits) {
  *this = {};
  fields_ = &fields;
  arena_ = &arena;
  limits_ = &limits;
}

bool HeaderBlock::add(std::string_view name, std::string_view value) {
  size_ += name.size() + value.size() + kLineOverhead;
  if (size_ > limits_->head.bytes) {
    too_large_ = true;
    return size_ <= limits_->head.bytes * kAbsurd;
  }
  if (name[0] == ':') {
    add_pseudo(name, value);
    return true;
  }
  const FieldId id = http::field_id(name);
  // Each crumb of a cookie is a line here, and one field in the end.
  const bool is_crumb = id == FieldId::kCookie && cookies_++ > 0;
  if (!is_crumb && ++count_ > limits_->fields) {
    too_large_ = true;
    return true;
  }
  const auto text = id == FieldId::kOther ? arena_->copy(name) : http::field_name(id);
  const auto kept = arena_->copy(value);
  if (id == FieldId::kPriority) priority_ = kept;
  fields_->add(http::Field{text, kept, id});
  return true;
}

// nghttp2 lets no others through, so that a character tells them apart.
void HeaderBlock::add_pseudo(std::string_view name, std::string_view value) {
  switch (name[1]) {
    case 'm':  // :method
      method_ = arena_->copy(value);
      break;
    case 'a':  // :authority
      authority_ = arena_->copy(value);
      break;
    case 'p':
      (name[2] == 'a' ? path_ : protocol_) = arena_->copy(value);
      break;
    case 's':  // The scheme is the listener's, which knows what it speaks.
      if (name[2] == 't') status_ = arena_->copy(value);
      break;
    default:
      break;
  }
}

Result<void> HeaderBlock::check_size(Side side) const {
  if (too_large_) return fail(ErrorCode::kHeadTooLarge, side, Retry::kNever, "headers too large");
  return {};
}

// RFC 9113 8.2.3.
void HeaderBlock::join_cookies() {
  if (cookies_ < 2) return;
  std::size_t size = 0;
  for (const auto& field : *fields_) {
    if (field.id == FieldId::kCookie) size += field.value.size() + 2;
  }
  char* const joined = arena_->allocate(size);
  char* end = joined;
  bool is_first = true;
  for (const auto& field : *fields_) {
    if (field.id != FieldId::kCookie) continue;
    if (!std::exchange(is_first, false)) end = std::copy_n("; ", 2, end);
    end = std::copy(field.value.begin(), field.value.end(), end);
  }
  fields_->set(FieldId::kCookie, {joined, static_cast<std::size_t>(end - joined)});
}

Result<void> HeaderBlock::finish_request(http::RequestHead& head, const http::PathPolicy& paths, bool has_content) {
  head.version = http::Version::kHttp2;
  head.method = method_;
  head.method_id = http::method_id(method_);
  head.target = path_;
  if (auto fits = check_size(Side::kClient); !fits) return fits;
  if (!http::is_token(method_)) return bad_request("invalid method");
  if (method_.size() > kMethodMax) return bad_request("method too long", ErrorCode::kMethodUnsupported);
  if (auto set = set_target(head, paths); !set) return set;
  join_cookies();
  head.body = length_of(head.fields, has_content);
  // nghttp2 lets nothing else through (RFC 9113 8.2.2).
  head.accepts_trailers = head.fields.has(FieldId::kTe);
  if (head.method_id == http::Method::kConnect) return set_websocket(head);
  if (const char* wrong = http::read_expectation(head)) return bad_request(wrong, ErrorCode::kExpectationFailed);
  return {};
}

Result<void> HeaderBlock::set_target(http::RequestHead& head, const http::PathPolicy& paths) {
  // RFC 9113 8.3.1: Host, where there is one too, must say the same.
  const std::size_t hosts = head.fields.count(FieldId::kHost);
  const auto host = head.fields.get(FieldId::kHost);
  if (hosts > 1) return bad_request("repeated Host");
  if (hosts == 1 && !authority_.empty() && !http::equals_ignoring_case(host, authority_)) {
    return bad_request("Host differs from :authority");
  }
  if (const char* wrong = http::set_authority(authority_.empty() ? host : authority_, head, *arena_)) {
    return bad_request(wrong);
  }
  head.fields.remove(FieldId::kHost);
  if (path_.size() > limits_->target.bytes) return bad_request("request target too long", ErrorCode::kUriTooLong);
  // A front door opens no tunnels to elsewhere.
  if (head.method_id == http::Method::kConnect && protocol_.empty()) {
    return bad_request("CONNECT", ErrorCode::kMethodUnsupported);
  }
  if (path_.empty() || (path_[0] != '/' && path_ != "*")) return bad_request("invalid :path");
  if (const char* wrong = http::parse_request_target(path_, head, paths, *arena_)) return bad_request(wrong);
  return {};
}

// Extended CONNECT (RFC 8441) is said as HTTP/1.1 does, so that nobody above needs to know two ways of asking for the same.
Result<void> HeaderBlock::set_websocket(http::RequestHead& head) {
  if (!http::equals_ignoring_case(protocol_, "websocket")) {
    return bad_request("unknown :protocol", ErrorCode::kMethodUnsupported);
  }
  head.method = "GET";
  head.method_id = http::Method::kGet;
  head.body = {};
  head.upgrade = true;
  head.fields.remove(FieldId::kContentLength);
  head.fields.set(FieldId::kUpgrade, "websocket");
  return {};
}

Result<void> HeaderBlock::finish_response(http::ResponseHead& head, http::Method request_method, bool has_content) {
  if (auto fits = check_size(Side::kUpstream); !fits) return fits;
  head.version = http::Version::kHttp2;
  std::uint16_t status = 0;
  for (const char c : status_) status = static_cast<std::uint16_t>(status * 10 + (c - '0'));
  // nghttp2 has seen three digits. 101 is not of this version (RFC 9113 8.6).
  if (status_.size() != 3 || status < 100 || status > 599 || status == 101) {
    return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, "invalid :status");
  }
  head.status = status;
  head.body = length_of(head.fields, has_content && http::may_have_content(request_method, status));
  return {};
}

Result<void> HeaderBlock::finish_trailers(Side side) {
  fields_->remove_if([](const http::Field& field) { return !http::is_permitted_trailer(field); });
  if (too_large_) return fail(ErrorCode::kHeadTooLarge, side, Retry::kNever, "trailers too large");
  return {};
}

}  // namespace rproxy::http2
