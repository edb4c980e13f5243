// What a probe's failures are called.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "upstream/probe_result.h"

namespace rproxy::upstream {

struct FailureWords {
  FailureWords(ProbeResult::Failure what, std::string why) : failure(what), reason(std::move(why)) {}
  ProbeResult::Failure failure;
  std::string reason;
};

// `connected`: the connection was made, so that what ended it was something else.
FailureWords words_of(const Error& error, bool connected);
// "3.2 ms"
std::string words_of(std::chrono::microseconds time);
std::string words_of_grpc(std::uint16_t status, std::string_view service);
// Short, and without control characters.
std::string excerpt(std::string_view text);

}  // namespace rproxy::upstream
