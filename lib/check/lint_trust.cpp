#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "check/lint_parts.h"
#include "config/values.h"

namespace rproxy::check {
namespace {

using config::Node;

// In the 128-bit form. A whole private network of IPv4 is a /8.
constexpr std::uint8_t kWideV4 = 96 + 8;
constexpr std::uint8_t kWideV6 = 32;

bool is_too_wide(const IpNetwork& network) {
  return network.address.is_v4() && network.prefix >= 96 ? network.prefix < kWideV4 : network.prefix < kWideV6;
}

void look_at_networks(const Node* list, const std::vector<IpNetwork>& networks, std::string_view what,
                      config::Problems& problems) {
  if (list == nullptr) return;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (!is_too_wide(networks[i])) continue;
    const bool is_array = list->is(Node::Kind::kArray) && list->items.size() == networks.size();
    problems.warning("RP2201", is_array ? list->items[i].at : list->at,
                     fmt::format("{} has addresses of strangers, who may {}", networks[i].to_string(), what),
                     "list the networks of your own proxies, such as 10.0.0.0/8");
  }
}

const Node* find(const Node& tree, const char* table, const char* key) {
  const Node* node = tree.find(table);
  return node != nullptr ? node->find(key) : nullptr;
}

void look_for_secrets(const Node& node, config::Problems& problems) {
  for (const Node& item : node.items) look_for_secrets(item, problems);
  for (const config::Member& member : node.members) {
    const Node& value = member.value;
    look_for_secrets(value, problems);
    const bool is_written = value.is(Node::Kind::kString) && !value.text.empty() && !is_secret(value);
    if (!config::is_secret_key(member.key) || !is_written) continue;
    problems.warning(
        "RP2202", member.at, fmt::format("{} stands here for all to read who read this file", member.key),
        fmt::format("{} = \"${{file:/etc/rproxy/{}}}\", or ${{NAME}} of the environment", member.key, member.key));
  }
}

bool is_private(const IpAddress& address) {
  static const auto kNetworks = [] {
    std::vector<IpNetwork> networks;
    for (const char* text : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                             "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"})
      networks.push_back(*IpNetwork::parse(text));
    return networks;
  }();
  return std::ranges::any_of(kNetworks, [&](const IpNetwork& network) { return network.contains(address); });
}

void look_for_cleartext(const config::Member& member, const upstream::Options& upstream, config::Problems& problems) {
  if (upstream.tls.enabled) return;
  const auto found = std::ranges::find_if(upstream.endpoints, [](const balance::EndpointOptions& endpoint) {
    return endpoint.address.kind == HostPort::Kind::kIp && !is_private(endpoint.address.ip);
  });
  if (found == upstream.endpoints.end()) return;
  const Node* servers = member.value.find("servers");
  problems.warning("RP2203", servers != nullptr ? servers->at : member.at,
                   fmt::format("what clients send, passwords and cookies with it, goes to {} in the clear",
                               found->address.to_string()),
                   "tls = true, or a private address");
}

}  // namespace

void lint_trust(const config::Loaded& loaded, config::Problems& problems) {
  const Node& tree = *loaded.tree;
  const config::Config& config = loaded.config;
  look_at_networks(find(tree, "forwarding", "trusted_proxies"), config.forwarding.trusted_proxies,
                   "say who the client is", problems);
  look_at_networks(find(tree, "explain", "allow"), config.explain.allow, "read what is behind this door", problems);
  look_for_secrets(tree, problems);
  const Node* upstreams = tree.find("upstreams");
  for (std::size_t i = 0; i < config.upstreams.size(); ++i)
    look_for_cleartext(upstreams->members[i], config.upstreams[i], problems);
}

}  // namespace rproxy::check
