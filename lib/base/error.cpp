#include "base/error.h"

#include <system_error>

namespace rproxy {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kConnectRefused:
      return "connect_refused";
    case ErrorCode::kConnectFailed:
      return "connect_failed";
    case ErrorCode::kUnreachable:
      return "unreachable";
    case ErrorCode::kReset:
      return "reset";
    case ErrorCode::kClosed:
      return "closed";
    case ErrorCode::kResolveFailed:
      return "resolve_failed";
    case ErrorCode::kTlsHandshake:
      return "tls_handshake";
    case ErrorCode::kTlsVerify:
      return "tls_verify";
    case ErrorCode::kConnectTimeout:
      return "connect_timeout";
    case ErrorCode::kHandshakeTimeout:
      return "handshake_timeout";
    case ErrorCode::kReadTimeout:
      return "read_timeout";
    case ErrorCode::kWriteTimeout:
      return "write_timeout";
    case ErrorCode::kRequestTimeout:
      return "request_timeout";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kBadRequest:
      return "bad_request";
    case ErrorCode::kUriTooLong:
      return "uri_too_long";
    case ErrorCode::kHeadTooLarge:
      return "head_too_large";
    case ErrorCode::kMethodUnsupported:
      return "method_unsupported";
    case ErrorCode::kVersionUnsupported:
      return "version_unsupported";
    case ErrorCode::kExpectationFailed:
      return "expectation_failed";
    case ErrorCode::kBodyTooLarge:
      return "body_too_large";
    case ErrorCode::kBadFraming:
      return "bad_framing";
    case ErrorCode::kBadResponse:
      return "bad_response";
    case ErrorCode::kTruncated:
      return "truncated";
    case ErrorCode::kNoEndpoint:
      return "no_endpoint";
    case ErrorCode::kLimitReached:
      return "limit_reached";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kBreakerOpen:
      return "breaker_open";
    case ErrorCode::kOutOfDescriptors:
      return "out_of_descriptors";
    case ErrorCode::kConfig:
      return "config";
    case ErrorCode::kCannotBind:
      return "cannot_bind";
    case ErrorCode::kFile:
      return "file";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string text(to_string(error.code));
  if (!error.context.empty()) text += ": " + error.context;
  if (error.os_error != 0) text += ": " + std::generic_category().message(error.os_error);
  return text;
}

}  // namespace rproxy
