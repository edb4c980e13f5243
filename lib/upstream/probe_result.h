// What one probe of an endpoint found.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "x509/certificate.h"

namespace rproxy::upstream {

struct ProbeResult {
  // What it failed at. kAnswer: there was none, or none that is HTTP's; kTimeout: the whole took too long.
  enum class Failure : std::uint8_t {
    kNone,
    kResolve,
    kLocal,
    kConnect,
    kTls,
    kTimeout,
    kAnswer,
    kStatus,
    kBody,
    kLatency,
    kServing
  };
  using Time = std::optional<std::chrono::microseconds>;  // nothing where it did not get that far

  Failure failure = Failure::kNone;
  std::string reason;        // in words; of a success, what was seen ("HTTP 200")
  std::uint16_t status = 0;  // of HTTP; 0: no answer, or no question
  Time resolve;
  Time connect;
  Time tls;         // with the greeting of HTTP/2 behind it
  Time first_byte;  // request sent to response head
  std::chrono::microseconds total{0};
  std::optional<x509::WallTime> certificate_end;  // of the certificate seen, also of one that was refused

  std::string content;  // where Prober keeps it

  bool is_ok() const { return failure == Failure::kNone; }
};

// A stable word: "ok", "connect", "timeout"...
std::string_view to_string(ProbeResult::Failure failure);

}  // namespace rproxy::upstream
