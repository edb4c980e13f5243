#include "server/discoveries.h"

#include <utility>

#include "config/server_file.h"

namespace rproxy::server {

void Discoveries::adopt(const std::shared_ptr<const Generation>& generation) {
  followed_.clear();
  resolver_.emplace(loop_, generation->config().resolver);
  generation_ = generation;
  for (const auto& upstream : generation->upstreams()) {
    // Servers that all have an address need nobody.
    if (!upstream::sources_of(upstream->options(), {}).empty()) follow(*upstream);
  }
}

void Discoveries::follow(upstream::Upstream& upstream) {
  followed_.push_back(std::make_unique<Followed>(upstream));
  Followed& made = *followed_.back();
  upstream::Discovery::Setting setting;
  setting.parse_file = config::parse_server_file;
  setting.seed = random_();
  setting.on_change = [&made](const upstream::DiscoveredList& list) {
    made.upstream.adopt(list, made.discovery->sources());
  };
  const upstream::DiscoverySources known = upstream.known();
  made.discovery.emplace(loop_, *resolver_, upstream.options(), std::move(setting), known);
  made.discovery->start(upstream::list_of(upstream.options(), known));
}

}  // namespace rproxy::server
