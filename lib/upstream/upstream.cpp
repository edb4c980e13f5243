#include "upstream/upstream.h"

#include <utility>

namespace rproxy::upstream {

Result<std::unique_ptr<Upstream>> Upstream::create(Options options) {
  std::unique_ptr<Upstream> upstream(new Upstream(std::move(options)));
  const Options& chosen = upstream->options_;
  for (const auto& endpoint : chosen.endpoints) {
    auto addresses = net::resolve(endpoint.address);
    if (!addresses) {
      addresses.error().context = "upstream " + chosen.name + ": " + addresses.error().context;
      return fail(std::move(addresses.error()));
    }
    for (const auto& address : *addresses) {
      auto made = std::make_unique<Endpoint>(endpoint, upstream->peers_);
      made->address = address;
      made->tls_name = chosen.tls.server_name.empty() ? endpoint.address.host : chosen.tls.server_name;
      upstream->states_.push_back(&made->state);
      upstream->endpoints_.push_back(std::move(made));
    }
  }
  return upstream;
}

}  // namespace rproxy::upstream
