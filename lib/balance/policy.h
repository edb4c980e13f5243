// Which endpoint takes the next request. A policy belongs to one worker; what workers share is in EndpointState.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "balance/endpoint.h"
#include "balance/hash.h"
#include "balance/tried_set.h"

namespace rproxy::balance {

enum class PolicyKind : std::uint8_t { kP2cEwma, kRoundRobin, kLeastConn, kRandom, kHash };
std::string_view to_string(PolicyKind kind);  // "p2c_ewma", "round_robin", "least_conn", "random", "hash"
std::optional<PolicyKind> parse_policy(std::string_view text);

struct PolicyOptions {
  PolicyKind kind = PolicyKind::kP2cEwma;
  HashKey key{};
  std::uint32_t load_factor = 0;  // hash: percent of the average load one may have, 100 and above; 0: any
  Duration slow_start{
      0};  // who has come back takes a tenth of its weight, and more up to all of it after so long; 0: off
  std::uint32_t panic_threshold = 0;  // percent; fewer available than that: all are used; 0: only when nobody is
  bool operator==(const PolicyOptions&) const = default;
};

struct PickRequest {
  const TriedSet& tried;
  TimePoint now;
  std::uint64_t hash = 0;  // of the key, for PolicyKind::kHash
};

class Policy {
 public:
  virtual ~Policy() = default;
  // An index into the endpoints given at construction, never one that was tried, nor one that is full. Of the lowest priority that has
  // somebody available; where all that are available were tried, one in service that is not available (an upstream that is all ejected
  // still gets its chance); nothing when all were tried or those that are available are full.
  virtual std::optional<std::size_t> pick(const PickRequest& request) = 0;
  // After nothing was picked: whether somebody would have been, were he not full.
  virtual bool is_full(const PickRequest& request) const = 0;
};

// `endpoints` have the same Peers and outlive the policy. `seed` makes random choices reproducible; give each worker another.
std::unique_ptr<Policy> make_policy(const PolicyOptions& options, std::span<EndpointState* const> endpoints,
                                    std::uint64_t seed);

}  // namespace rproxy::balance
