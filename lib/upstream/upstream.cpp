#include "upstream/upstream.h"

#include <algorithm>
#include <utility>

namespace rproxy::upstream {

Upstream::Upstream(Options options, const Upstream* previous)
    : options_(std::move(options)),
      peers_(previous != nullptr ? previous->peers_ : std::make_shared<balance::Peers>(options_.ejection)) {
  if (previous == nullptr) return;
  peers_->set_ejection(options_.ejection);
  endpoints_ = previous->endpoints();
}

Result<std::shared_ptr<Upstream>> Upstream::create(Options options, const Upstream* previous) {
  std::shared_ptr<Upstream> upstream(new Upstream(std::move(options), previous));
  const Options& chosen = upstream->options_;
  std::vector<EndpointPtr> endpoints;
  for (const auto& endpoint : chosen.endpoints) {
    auto addresses = net::resolve(endpoint.address);
    if (!addresses) {
      addresses.error().context = "upstream " + chosen.name + ": " + addresses.error().context;
      return fail(std::move(addresses.error()));
    }
    for (const auto& address : *addresses) endpoints.push_back(upstream->find_or_make(endpoint, address));
  }
  upstream->replace(std::move(endpoints));
  return upstream;
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
  const std::string tls_name = options_.tls.server_name.empty() ? options.address.host : options_.tls.server_name;
  const EndpointSetPtr set = endpoints();
  const auto found = std::ranges::find_if(set->endpoints(), [&](const EndpointPtr& each) {
    return each->address == address && each->tls_name == tls_name;
  });
  if (found == set->endpoints().end()) return std::make_shared<Endpoint>(options, peers_, address, tls_name);
  balance::EndpointState& state = (*found)->state;
  state.set_weight(options.weight);
  state.set_priority(options.priority);
  state.set_max_connections(options.max_connections);
  return *found;
}

}  // namespace rproxy::upstream
