#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/build.h"
#include "config/schema.h"
#include "config/text.h"

namespace rproxy::config {
namespace {

void check_servers(const Member& member, const upstream::Options& options, Problems& problems) {
  if (!member.value.is(Node::Kind::kTable)) return;
  const std::string name = cut_text(member.key);
  const Node* servers = member.value.find("servers");
  const bool is_empty = servers != nullptr && servers->is(Node::Kind::kArray) && servers->items.empty();
  if (is_empty || (lacks(member.value, "servers", names_of(upstream_keys())) && !problems.is_incomplete())) {
    problems.error("RP1103", is_empty ? servers->at : member.at, fmt::format("upstream {} has no servers", name),
                   "servers = [\"10.0.0.1:8001\"]");
  }
  // One that can't be read may well have a weight.
  const bool are_all_read = servers != nullptr && servers->items.size() == options.endpoints.size();
  if (are_all_read && !options.endpoints.empty() &&
      std::ranges::all_of(options.endpoints, [](const auto& e) { return e.weight == 0; })) {
    problems.error("RP1104", servers->at, fmt::format("upstream {}: every server has weight 0", name),
                   "give one a weight of 1");
  }
}

void check_protocol(const Member& member, const upstream::Options& options, Problems& problems) {
  const Node* protocol = member.value.is(Node::Kind::kTable) ? member.value.find("protocol") : nullptr;
  if (protocol == nullptr || !member.value.is_whole() || options.protocol == upstream::Protocol::kHttp1) return;
  if (options.protocol == upstream::Protocol::kAuto && !options.tls.enabled) {
    problems.error("RP1006", protocol->at, "protocol = \"auto\" is agreed upon by TLS, which is off",
                   "tls = true, or write protocol = \"h2\" or \"http/1.1\"");
  } else if (options.proxy_protocol != upstream::ProxyProtocol::kOff) {
    problems.error("RP1006", protocol->at,
                   "clients share an HTTP/2 connection, and its PROXY header could name but one",
                   "write protocol = \"http/1.1\", or delete proxy_protocol");
  }
}

}  // namespace

std::map<std::string, Place> build_upstreams(const Node& tree, Config& config, Problems& problems) {
  std::map<std::string, Place> places;
  const Node* table = tree.find("upstreams");
  if (table == nullptr ||
      !expect(problems, *table, Node::Kind::kTable, "a table of [upstreams.NAME]", "write [upstreams.NAME]")) {
    return places;
  }
  for (const Member& member : table->members) {
    upstream::Options options;
    options.name = member.key;
    decode_table<upstream::Options>(problems, member.value, "[upstreams." + cut_text(member.key) + "]", upstream_keys(),
                                    options);
    check_servers(member, options, problems);
    check_protocol(member, options, problems);
    places.emplace(member.key, member.at);
    config.upstreams.push_back(std::move(options));
  }
  return places;
}

}  // namespace rproxy::config
