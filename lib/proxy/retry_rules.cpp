#include "proxy/retry_rules.h"

#include <algorithm>

namespace rproxy::proxy {

balance::Outcome outcome_of(const Error& error) {
  if (error.side != Side::kUpstream) return balance::Outcome::kCancelled;
  switch (error.code) {
    case ErrorCode::kConnectRefused:
    case ErrorCode::kConnectFailed:
    case ErrorCode::kUnreachable:
    case ErrorCode::kTlsHandshake:
    case ErrorCode::kTlsVerify:
      return balance::Outcome::kConnectFailed;
    // It refused a stream among others that it serves: busy, not broken.
    case ErrorCode::kLimitReached:
    case ErrorCode::kOverloaded:
      return balance::Outcome::kCancelled;
    case ErrorCode::kConnectTimeout:
    case ErrorCode::kHandshakeTimeout:
    case ErrorCode::kReadTimeout:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kRequestTimeout:
      return balance::Outcome::kTimeout;
    default:
      return balance::Outcome::kReset;
  }
}

bool is_cut_by_endpoint(const Error& error) {
  if (error.side != Side::kUpstream) return false;
  switch (error.code) {
    case ErrorCode::kReset:
    case ErrorCode::kClosed:
    case ErrorCode::kTruncated:
    case ErrorCode::kBadFraming:
    case ErrorCode::kReadTimeout:
      return true;
    default:
      return false;
  }
}

bool is_stale(const Error& error) {
  return error.side == Side::kUpstream && (error.code == ErrorCode::kReset || error.code == ErrorCode::kClosed) &&
         error.retry != Retry::kNever;
}

bool is_connect_failure(const Error& error) {
  switch (error.code) {
    case ErrorCode::kConnectRefused:
    case ErrorCode::kConnectFailed:
    case ErrorCode::kConnectTimeout:
    case ErrorCode::kUnreachable:
    case ErrorCode::kResolveFailed:
    case ErrorCode::kTlsHandshake:
    case ErrorCode::kTlsVerify:
    case ErrorCode::kHandshakeTimeout:
      return true;
    default:
      return false;
  }
}

bool has_cost_nothing(const Error& error) {
  if (error.retry != Retry::kSafe) return false;
  return error.code == ErrorCode::kConnectRefused || error.code == ErrorCode::kUnreachable ||
         error.code == ErrorCode::kLimitReached;
}

bool is_repeatable(const upstream::RetryOptions& options, const http::RequestHead& head) {
  if (options.methods.empty()) return http::is_idempotent(head.method_id);
  return std::ranges::find(options.methods, head.method) != options.methods.end();
}

bool allows_retry(const upstream::RetryOptions& options, const http::RequestHead& head, const Error& error) {
  if (error.side == Side::kClient || error.retry == Retry::kNever) return false;
  if (error.retry == Retry::kIdempotent && !is_repeatable(options, head)) return false;
  if (is_connect_failure(error)) return options.on.connect_failure;
  if (error.code == ErrorCode::kLimitReached) return options.on.refused_stream;
  if (error.code == ErrorCode::kReadTimeout) return options.on.timeout;
  return options.on.reset;
}

bool allows_retry(const upstream::RetryOptions& options, const http::RequestHead& head, std::uint16_t status) {
  return status < options.on.statuses.size() && options.on.statuses.test(status) && is_repeatable(options, head);
}

void tell_breaker(balance::CircuitBreaker::Admission& admission, const Result<exchange::Response>& response,
                  TimePoint now) {
  if (!response && (response.error().side != Side::kUpstream || response.error().code == ErrorCode::kOverloaded))
    return;
  admission.end(response && balance::outcome_of_status(response->head.status) == balance::Outcome::kSuccess, now);
}

}  // namespace rproxy::proxy
