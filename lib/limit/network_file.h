// Files that list networks. One a line, as 192.0.2.0/24, 2001:db8::/32, or a single address; behind it, after a blank,
// what there is to say of it. What follows a # is a comment, and so is a line that begins with a ;, as published lists
// have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "limit/network_set.h"

namespace rproxy::limit {

struct LineFinding {
  enum class Severity : std::uint8_t { kError, kWarning };
  std::uint32_t line = 0;  // from 1
  Severity severity = Severity::kError;
  std::string message;  // what is wrong, and what to write
};

struct NetworkFileReading {
  static constexpr std::size_t kFindingsMax = 10'000;  // so many are told of, the rest is counted

  std::size_t networks = 0;  // added
  std::size_t errors = 0;    // lines that are none
  std::size_t warnings = 0;  // lines that were taken, though they may not be meant so
  std::vector<LineFinding> findings;
};

constexpr std::size_t kNetworkTextMax = 200;    // bytes
constexpr std::size_t kNetworkLineMax = 1'000;  // bytes, without its comment's end

// Adds the networks of all lines that are right, each with `value`. Whether a file with others is used is up to the
// caller.
NetworkFileReading read_network_file(std::string_view text, std::uint32_t value, NetworkSetBuilder& out);

}  // namespace rproxy::limit
