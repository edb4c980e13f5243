#include "server/discoveries.h"

#include <map>
#include <string>
#include <utility>

#include "config/server_file.h"

namespace rproxy::server {

void Discoveries::adopt(const std::shared_ptr<const Generation>& generation) {
  // Later than what upstreams were made with, by what has been found since.
  std::map<std::string, upstream::DiscoverySources> latest;
  for (const auto& each : followed_) latest.emplace(each->upstream.name(), each->discovery->sources());
  followed_.clear();
  resolver_.emplace(loop_, generation->config().resolver);
  generation_ = generation;
  for (const auto& upstream : generation->upstreams()) {
    // Servers that all have an address need nobody.
    if (upstream::sources_of(upstream->options(), {}).empty()) continue;
    const auto found = latest.find(upstream->name());
    auto known = upstream->known();
    if (found != latest.end()) known.insert(known.begin(), found->second.begin(), found->second.end());
    follow(*upstream, known);
  }
}

void Discoveries::follow(upstream::Upstream& upstream, const upstream::DiscoverySources& known) {
  followed_.push_back(std::make_unique<Followed>(upstream));
  Followed& made = *followed_.back();
  upstream::Discovery::Setting setting;
  setting.parse_file = config::parse_server_file;
  setting.seed = random_();
  setting.on_change = [&made](const upstream::DiscoveredList& list) {
    made.upstream.adopt(list, made.discovery->sources());
  };
  made.discovery.emplace(loop_, *resolver_, upstream.options(), std::move(setting), known);
  made.discovery->start(upstream::list_of(upstream.options(), upstream.known()));
}

}  // namespace rproxy::server
