#include "cli/route_check_online.h"

#include <fmt/format.h>

#include "config/values.h"
#include "server/survey.h"

namespace rproxy::cli {
namespace {

using config::Node;

// The place of the server as it is written; that of the list where it has come out of a name or a file.
const config::Place& place_of(const config::Member& upstream, const std::string& endpoint) {
  const Node* servers = upstream.value.find("servers");
  if (servers == nullptr) return upstream.at;
  for (const Node& item : servers->items) {
    const Node* address = item.is(Node::Kind::kTable) ? item.find("address") : &item;
    if (address != nullptr && address->text == endpoint) return address->at;
  }
  return servers->at;
}

}  // namespace

void add_online_findings(const config::Loaded& loaded, config::Problems& problems) {
  server::Survey survey(loaded.config, {});
  const Node* upstreams = loaded.tree->find("upstreams");
  for (const auto& row : survey.run()) {
    if (row.result.is_ok()) continue;
    for (const config::Member& member : upstreams->members) {
      if (member.key != row.upstream) continue;
      problems.warning("RP2401", place_of(member, row.endpoint), fmt::format("{}: {}", row.endpoint, row.result.reason),
                       fmt::format("rproxy health tells more of upstream {}", row.upstream));
    }
  }
}

}  // namespace rproxy::cli
