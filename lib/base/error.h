// What went wrong, whose fault it was, and whether doing it again is safe. Code decides on these three; the text is for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rproxy {

enum class ErrorCode : std::uint8_t {
  kInternal,
  // Transport.
  kConnectRefused,
  kConnectFailed,
  kUnreachable,
  kReset,
  kClosed,  // orderly end of stream where more was needed
  kResolveFailed,
  kTlsHandshake,
  kTlsVerify,
  // Time, one per phase.
  kConnectTimeout,
  kHandshakeTimeout,
  kReadTimeout,
  kWriteTimeout,
  kRequestTimeout,
  kCancelled,
  // Messages.
  kBadRequest,
  kUriTooLong,
  kHeadTooLarge,
  kMethodUnsupported,
  kVersionUnsupported,
  kExpectationFailed,
  kBodyTooLarge,
  kBadFraming,
  kBadResponse,
  kTruncated,
  // Capacity and policy.
  kNoEndpoint,
  kLimitReached,
  kOverloaded,   // an upstream has no room, nor has its queue
  kBreakerOpen,  // its circuit breaker lets nothing through
  kOutOfDescriptors,
  // Start-up and configuration.
  kConfig,
  kCannotBind,
  kFile,
};

// Whose fault: decides between 4xx, 502/504 and 500, and which side's statistics suffer.
enum class Side : std::uint8_t { kClient, kUpstream, kLocal };

// kSafe: nothing of the request left this machine. kIdempotent: the peer may have acted on it.
enum class Retry : std::uint8_t { kNever, kIdempotent, kSafe };

struct Error {
  // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
  explicit Error(ErrorCode what = ErrorCode::kInternal, Side whose = Side::kLocal, Retry again = Retry::kNever,
                 int os = 0, std::string name = {})
      : code(what), side(whose), retry(again), os_error(os), context(std::move(name)) {}

  ErrorCode code;
  Side side;
  Retry retry;
  int os_error;         // errno where one is known, else 0
  std::string context;  // names the thing; never holds a secret
};

// The code as a stable lower-case word ("connect_refused"), for logs.
std::string_view to_string(ErrorCode code);

// "connect_refused: 127.0.0.1:8001: Connection refused"
std::string describe(const Error& error);

}  // namespace rproxy
