#include "upstream/upstream.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "upstream/lookup.h"

namespace rproxy::upstream {
namespace {

bool is_same(const Endpoint& endpoint, const DiscoveredEndpoint& found) {
  return endpoint.address == found.address && endpoint.tls_name == found.tls_name &&
         endpoint.state.options() == found.options;
}

EndpointPtr make(const DiscoveredEndpoint& found, const Options& options) {
  auto made = std::make_shared<Endpoint>(found.options, options.ejection, found.address, found.tls_name);
  if (found.called) made->add_names(*found.called);
  return made;
}

}  // namespace

Result<std::shared_ptr<Upstream>> Upstream::create(Options options, const Upstream* previous, DiscoverySources known) {
  std::shared_ptr<Upstream> upstream(new Upstream(std::move(options)));
  const DiscoveredList list = list_of(upstream->options_, known);
  upstream->adopt_from(previous != nullptr ? *previous : *upstream, list, std::move(known));
  return upstream;
}

void Upstream::adopt(const DiscoveredList& list, DiscoverySources known) { adopt_from(*this, list, std::move(known)); }

void Upstream::adopt_from(const Upstream& other, const DiscoveredList& list, DiscoverySources known) {
  const EndpointSetPtr set = other.endpoints();
  std::unordered_map<std::string_view, const EndpointPtr*> there;
  for (const auto& endpoint : set->endpoints()) there.emplace(key_of(endpoint->address), &endpoint);
  std::vector<EndpointPtr> endpoints;
  endpoints.reserve(list.size());
  for (const auto& found : list) {
    const auto at = there.find(found.key());
    const bool stays = at != there.end() && is_same(**at->second, found);
    endpoints.push_back(stays ? *at->second : make(found, options_));
  }
  replace(std::move(endpoints));
  const std::lock_guard lock(mutex_);
  known_ = std::move(known);
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
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  endpoints_ = std::make_shared<EndpointSet>(std::move(endpoints), version);
  version_.store(version, std::memory_order_release);
}

EndpointPtr Upstream::find_or_make(const balance::EndpointOptions& options, const net::SocketAddress& address) const {
  const DiscoveredEndpoint wanted{options, address, tls_name_for(options_, options.address.host)};
  const EndpointSetPtr set = endpoints();
  const auto found =
      std::ranges::find_if(set->endpoints(), [&](const EndpointPtr& each) { return is_same(*each, wanted); });
  return found != set->endpoints().end() ? *found : make(wanted, options_);
}

}  // namespace rproxy::upstream
