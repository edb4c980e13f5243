#include "exchange/error_page.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>

#include "exchange/grpc_answer.h"
#include "exchange/string_body.h"
#include "http/negotiation.h"

namespace rproxy::exchange {
namespace {

std::uint16_t client_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUriTooLong:
      return 414;
    case ErrorCode::kHeadTooLarge:
      return 431;
    case ErrorCode::kMethodUnsupported:
      return 501;
    case ErrorCode::kVersionUnsupported:
      return 505;
    case ErrorCode::kExpectationFailed:
      return 417;
    case ErrorCode::kBodyTooLarge:
      return 413;
    case ErrorCode::kReadTimeout:
    case ErrorCode::kRequestTimeout:
      return 408;
    default:
      return 400;
  }
}

std::uint16_t upstream_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kConnectTimeout:
    case ErrorCode::kHandshakeTimeout:
    case ErrorCode::kReadTimeout:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kRequestTimeout:
      return 504;
    case ErrorCode::kNoEndpoint:
    case ErrorCode::kLimitReached:
    case ErrorCode::kOverloaded:
    case ErrorCode::kBreakerOpen:
      return 503;
    default:
      return 502;
  }
}

}  // namespace

std::uint16_t status_of(const Error& error) {
  switch (error.side) {
    case Side::kClient:
      return client_status(error.code);
    case Side::kUpstream:
      return upstream_status(error.code);
    case Side::kLocal:
      break;
  }
  return error.code == ErrorCode::kOutOfDescriptors || error.code == ErrorCode::kLimitReached ? 503 : 500;
}

std::string_view termination_of(const Error& error) {
  if (error.side == Side::kLocal) return "internal_error";
  if (error.side == Side::kClient) {
    switch (error.code) {
      case ErrorCode::kReadTimeout:
        return "client_timeout";
      case ErrorCode::kWriteTimeout:
        return "client_send_timeout";
      case ErrorCode::kRequestTimeout:
        return "client_deadline";
      case ErrorCode::kReset:
      case ErrorCode::kClosed:
      case ErrorCode::kTruncated:
      case ErrorCode::kCancelled:
        return "client_closed";
      case ErrorCode::kBodyTooLarge:
        return "client_body_too_large";
      default:
        return "client_bad_request";
    }
  }
  switch (error.code) {
    case ErrorCode::kConnectRefused:
    case ErrorCode::kLimitReached:
      return "upstream_refused";
    case ErrorCode::kConnectTimeout:
      return "upstream_connect_timeout";
    case ErrorCode::kTlsHandshake:
    case ErrorCode::kTlsVerify:
    case ErrorCode::kHandshakeTimeout:
      return "upstream_tls";
    case ErrorCode::kReadTimeout:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kRequestTimeout:
      return "upstream_timeout";
    case ErrorCode::kReset:
    case ErrorCode::kClosed:
    case ErrorCode::kCancelled:
      return "upstream_reset";
    case ErrorCode::kTruncated:
      return "upstream_truncated";
    case ErrorCode::kNoEndpoint:
      return "no_endpoint";
    case ErrorCode::kOverloaded:
      return "upstream_overloaded";
    case ErrorCode::kBreakerOpen:
      return "upstream_breaker_open";
    case ErrorCode::kBadResponse:
    case ErrorCode::kBadFraming:
    case ErrorCode::kHeadTooLarge:
      return "upstream_bad_response";
    default:
      return "upstream_connect_failed";
  }
}

std::string_view proxy_error_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kConnectRefused:
      return "connection_refused";
    case ErrorCode::kConnectTimeout:
      return "connection_timeout";
    case ErrorCode::kReset:
    case ErrorCode::kClosed:
    case ErrorCode::kCancelled:
      return "connection_terminated";
    case ErrorCode::kTlsHandshake:
    case ErrorCode::kHandshakeTimeout:
      return "tls_protocol_error";
    case ErrorCode::kTlsVerify:
      return "tls_certificate_error";
    case ErrorCode::kReadTimeout:
    case ErrorCode::kRequestTimeout:
      return "http_response_timeout";
    case ErrorCode::kWriteTimeout:
      return "connection_write_timeout";
    case ErrorCode::kTruncated:
      return "http_response_incomplete";
    case ErrorCode::kHeadTooLarge:
      return "http_response_header_section_size";
    case ErrorCode::kBadResponse:
    case ErrorCode::kBadFraming:
      return "http_protocol_error";
    case ErrorCode::kNoEndpoint:
    case ErrorCode::kUnreachable:
    case ErrorCode::kBreakerOpen:
      return "destination_unavailable";
    case ErrorCode::kOverloaded:
      return "connection_limit_reached";
    default:
      return "proxy_internal_error";
  }
}

Response error_response(Request& request, std::uint16_t status) {
  if (!http::grpc_type(request.head.fields)) return page(request, status);
  const auto id = request.trace.request_id;
  const auto reason = http::reason_phrase(status);
  const auto message = id.empty() ? reason : request.arena->concat({reason, ", request ", id});
  return grpc_answer(request, http::grpc_status_of(status), message);
}

Response page(Request& request, std::uint16_t status) {
  const auto reason = http::reason_phrase(status);
  const auto id = request.trace.request_id;
  fmt::memory_buffer text;
  auto out = std::back_inserter(text);
  Response response;
  response.head.status = status;
  switch (http::preferred_page(request.head.fields)) {
    case http::PageType::kHtml:
      response.head.fields.add(http::FieldId::kContentType, "text/html; charset=utf-8");
      fmt::format_to(out,
                     "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0} {1}</title>\n"
                     "<style>body{{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;padding:0 1rem;"
                     "color-scheme:light dark}}</style>\n<h1>{0} {1}</h1>\n",
                     status, reason);
      if (!id.empty()) fmt::format_to(out, "<p>Request <code>{}</code></p>\n", id);
      fmt::format_to(out, "</html>\n");
      break;
    case http::PageType::kJson:
      response.head.fields.add(http::FieldId::kContentType, "application/json");
      fmt::format_to(out, "{{\"status\":{},\"error\":\"{}\"", status, reason);
      if (!id.empty()) fmt::format_to(out, ",\"request_id\":\"{}\"", id);
      fmt::format_to(out, "}}\n");
      break;
    case http::PageType::kPlain:
      response.head.fields.add(http::FieldId::kContentType, "text/plain; charset=utf-8");
      fmt::format_to(out, "{} {}\n", status, reason);
      if (!id.empty()) fmt::format_to(out, "Request {}\n", id);
      break;
  }
  response.head.fields.add(http::FieldId::kCacheControl, "no-store");
  response.body = std::make_unique<StringBody>(request.arena->copy({text.data(), text.size()}));
  return response;
}

}  // namespace rproxy::exchange
