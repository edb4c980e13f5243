// Which endpoint takes the next request. A policy belongs to one worker; what workers share is in EndpointState.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "balance/endpoint.h"

namespace rproxy::balance {

enum class PolicyKind : std::uint8_t { kP2cEwma, kRoundRobin, kLeastConn };
std::string_view to_string(PolicyKind kind);  // "p2c_ewma", "round_robin", "least_conn"
std::optional<PolicyKind> parse_policy(std::string_view text);

// Endpoints already tried for this request, by index.
class TriedSet {
 public:
  void add(std::size_t i) {
    if (i < 64)
      low_ |= std::uint64_t{1} << i;
    else
      last_high_ = i;
  }
  bool has(std::size_t i) const { return i < 64 ? (low_ >> i & 1) != 0 : i == last_high_; }

 private:
  std::uint64_t low_ = 0;
  std::size_t last_high_ = static_cast<std::size_t>(-1);
};

class Policy {
 public:
  virtual ~Policy() = default;
  // An index into the endpoints given at construction. Prefers endpoints neither tried, nor ejected, nor of weight 0; where all
  // untried ones are ejected, one of those (an upstream that is all ejected still gets its chance); nothing when all were tried.
  virtual std::optional<std::size_t> pick(const TriedSet& tried, TimePoint now) = 0;
};

// `endpoints` outlive the policy. `seed` makes random choices reproducible; give each worker another.
std::unique_ptr<Policy> make_policy(PolicyKind kind, std::span<EndpointState* const> endpoints, std::uint64_t seed);

}  // namespace rproxy::balance
