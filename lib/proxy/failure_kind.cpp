#include "proxy/failure_kind.h"

namespace rproxy::proxy {

using metrics::Failure;

std::optional<Failure> failure_kind(const Error& error) {
  if (error.side != Side::kUpstream) return std::nullopt;
  switch (error.code) {
    case ErrorCode::kConnectRefused:
    case ErrorCode::kConnectFailed:
    case ErrorCode::kUnreachable:
      return Failure::kConnect;
    case ErrorCode::kTlsHandshake:
    case ErrorCode::kTlsVerify:
      return Failure::kTls;
    case ErrorCode::kConnectTimeout:
    case ErrorCode::kHandshakeTimeout:
    case ErrorCode::kReadTimeout:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kRequestTimeout:
      return Failure::kTimeout;
    case ErrorCode::kReset:
    case ErrorCode::kClosed:
    case ErrorCode::kTruncated:
    case ErrorCode::kCancelled:
      return Failure::kReset;
    case ErrorCode::kLimitReached:
      return Failure::kRefused;
    case ErrorCode::kBadResponse:
    case ErrorCode::kBadFraming:
    case ErrorCode::kHeadTooLarge:
      return Failure::kBadResponse;
    default:
      return Failure::kOther;
  }
}

}  // namespace rproxy::proxy
