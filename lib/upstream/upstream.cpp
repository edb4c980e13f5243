#include "upstream/upstream.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "upstream/lookup.h"

namespace rproxy::upstream {
namespace {

// The endpoints of a set by their addresses.
using ByAddress = std::unordered_map<std::string_view, EndpointPtr>;

using FoundByAddress = std::unordered_map<std::string_view, const DiscoveredEndpoint*>;

FoundByAddress by_address(const DiscoveredList& list) {
  FoundByAddress out;
  for (const auto& found : list) out.emplace(found.key(), &found);
  return out;
}

bool has_same(const FoundByAddress& before, const DiscoveredEndpoint& found) {
  const auto was = before.find(found.key());
  return was != before.end() && *was->second == found;
}

ByAddress by_address(const EndpointSet& set) {
  ByAddress out;
  for (const auto& endpoint : set.endpoints()) out.emplace(key_of(endpoint->address), endpoint);
  return out;
}

// That endpoint where it is there; else null.
EndpointPtr find(const ByAddress& there, const DiscoveredEndpoint& wanted) {
  const auto found = there.find(wanted.key());
  return found != there.end() && found->second->tls_name == wanted.tls_name ? found->second : nullptr;
}

EndpointPtr make(const DiscoveredEndpoint& found, const std::shared_ptr<balance::Peers>& peers) {
  auto made = std::make_shared<Endpoint>(found.options, peers, found.address, found.tls_name);
  if (found.called) made->add_names(*found.called);
  return made;
}

// Who is in the one and not in the other has no part any more in what peers have in common.
void part(const EndpointSet& before, const EndpointSet& now) {
  const std::unordered_set<EndpointPtr> staying(now.endpoints().begin(), now.endpoints().end());
  for (const auto& each : before.endpoints()) {
    if (!staying.contains(each)) each->state.leave_peers();
  }
}

void tell(balance::EndpointState& state, const balance::EndpointOptions& options) {
  state.set_weight(options.weight);
  state.set_priority(options.priority);
  state.set_max_connections(options.max_connections);
}

}  // namespace

Upstream::Upstream(Options options, const Upstream* previous)
    : options_(std::move(options)),
      peers_(previous != nullptr ? previous->peers_ : std::make_shared<balance::Peers>(options_.ejection)),
      capacity_(previous != nullptr ? previous->capacity_ : std::make_shared<Capacity>(options_)) {
  if (previous != nullptr) endpoints_ = before_ = previous->endpoints();
}

Result<std::shared_ptr<Upstream>> Upstream::create(Options options, const Upstream* previous, DiscoverySources known) {
  std::shared_ptr<Upstream> upstream(new Upstream(std::move(options), previous));
  upstream->found_ = list_of(upstream->options_, known);
  upstream->known_ = std::move(known);
  const ByAddress there = by_address(*upstream->endpoints());
  const DiscoveredList found_before = previous != nullptr ? previous->found() : DiscoveredList();
  const FoundByAddress before = by_address(found_before);
  std::vector<EndpointPtr> endpoints;
  for (const auto& found : upstream->found_) {
    EndpointPtr endpoint = find(there, found);
    if (endpoint && !has_same(before, found)) upstream->to_tell_.emplace_back(endpoint, found.options);
    endpoints.push_back(endpoint ? std::move(endpoint) : make(found, upstream->peers_));
  }
  upstream->install(std::move(endpoints));
  return upstream;
}

void Upstream::take_over() {
  peers_->set_ejection(options_.ejection);
  capacity_->breaker.set_options(options_.limits);
  capacity_->queue.set_options(options_.queue);
  for (const auto& [endpoint, options] : std::exchange(to_tell_, {})) tell(endpoint->state, options);
  if (const auto before = std::exchange(before_, nullptr)) part(*before, *endpoints());
}

void Upstream::adopt(const DiscoveredList& list, DiscoverySources known) {
  const EndpointSetPtr set = endpoints();
  const ByAddress there = by_address(*set);
  const FoundByAddress before = by_address(found_);
  std::unordered_set<std::string_view> listed;
  std::vector<EndpointPtr> endpoints;
  for (const auto& found : list) {
    listed.insert(found.key());
    const bool is_as_before = has_same(before, found);
    EndpointPtr endpoint = find(there, found);
    if (!endpoint && is_as_before) continue;  // taken out by hand
    if (!endpoint) {
      endpoint = make(found, peers_);
    } else if (!is_as_before) {
      tell(endpoint->state, found.options);
    }
    endpoints.push_back(std::move(endpoint));
  }
  for (const auto& endpoint : set->endpoints()) {
    const bool is_by_hand = !before.contains(key_of(endpoint->address)) && !listed.contains(key_of(endpoint->address));
    if (is_by_hand) endpoints.push_back(endpoint);
  }
  replace(std::move(endpoints));
  const std::lock_guard lock(mutex_);
  found_ = list;
  known_ = std::move(known);
}

DiscoveredList Upstream::found() const {
  const std::lock_guard lock(mutex_);
  return found_;
}

DiscoverySources Upstream::known() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

EndpointSetPtr Upstream::endpoints() const {
  const std::lock_guard lock(mutex_);
  return endpoints_;
}

void Upstream::replace(std::vector<EndpointPtr> endpoints) {
  const EndpointSetPtr before = this->endpoints();
  install(std::move(endpoints));
  part(*before, *this->endpoints());
}

void Upstream::install(std::vector<EndpointPtr> endpoints) {
  const std::lock_guard lock(mutex_);
  const std::unordered_set<EndpointPtr> there(endpoints_->endpoints().begin(), endpoints_->endpoints().end());
  for (const EndpointPtr& each : endpoints) {
    if (!there.empty() && !there.contains(each)) each->state.begin_slow_start(Clock::now());
  }
  const std::uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  endpoints_ = std::make_shared<EndpointSet>(std::move(endpoints), version);
  version_.store(version, std::memory_order_release);
}

EndpointPtr Upstream::find_or_make(const balance::EndpointOptions& options, const net::SocketAddress& address) const {
  const DiscoveredEndpoint wanted{options, address, tls_name_for(options_, options.address.host)};
  EndpointPtr endpoint = find(by_address(*endpoints()), wanted);
  if (!endpoint) return make(wanted, peers_);
  tell(endpoint->state, options);
  return endpoint;
}

}  // namespace rproxy::upstream
