#include "check/hashed_server.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "balance/endpoint.h"
#include "balance/policy.h"

namespace rproxy::check {

std::optional<std::string> server_by_hash(const upstream::Options& upstream, std::uint64_t hash) {
  const bool is_known = upstream.sources.empty() && std::ranges::none_of(upstream.endpoints, [](const auto& endpoint) {
                          return endpoint.address.kind == HostPort::Kind::kName;
                        });
  if (upstream.policy.kind != balance::PolicyKind::kHash || !is_known) return std::nullopt;
  const auto peers = std::make_shared<balance::Peers>();
  std::vector<std::unique_ptr<balance::EndpointState>> states;
  std::vector<balance::EndpointState*> pointers;
  for (const auto& endpoint : upstream.endpoints) {
    states.push_back(std::make_unique<balance::EndpointState>(endpoint, peers));
    pointers.push_back(states.back().get());
  }
  const auto policy = balance::make_policy(upstream.policy, pointers, 0);
  const balance::TriedSet tried;
  const auto picked = policy->pick({tried, TimePoint(), hash});
  if (!picked) return std::nullopt;
  return pointers[*picked]->name();
}

}  // namespace rproxy::check
