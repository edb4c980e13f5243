// Servers that have names or are listed elsewhere, how they are kept up to date, and who is asked for names.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "config/schema.h"

namespace rproxy::config {
namespace {

constexpr std::string_view kDns = "dns:";
constexpr std::string_view kSrv = "srv:";
constexpr std::string_view kFile = "file:";

bool is_name(const std::string& text) {
  constexpr std::size_t kNameMax = 253;
  const auto parsed = HostPort::parse(text + ":1");
  return text.size() <= kNameMax && parsed && parsed->kind == HostPort::Kind::kName;
}

bool is_name_with_port(const std::string& text) {
  const auto parsed = HostPort::parse(text);
  return parsed && parsed->kind == HostPort::Kind::kName;
}

bool decode_source_address(Problems& problems, const Node& node, upstream::ServerSource& out) {
  const bool is_srv = node.text.starts_with(kSrv);
  out.kind = is_srv ? upstream::ServerSource::Kind::kSrv : upstream::ServerSource::Kind::kFile;
  out.name = node.text.substr(is_srv ? kSrv.size() : kFile.size());
  if (is_srv && !is_name(out.name)) {
    problems.error("RP1004", node.at, fmt::format("not the name of a service: {}", shown(node)),
                   "write \"srv:_http._tcp.shop.internal\", without a port");
    return false;
  }
  if (!is_srv && (!out.name.starts_with('/') || out.name.find('\0') != std::string::npos)) {
    problems.error("RP1004", node.at, fmt::format("not the path of a list: {}", shown(node)),
                   "write it from the root: \"file:/etc/rproxy/shop.list\"");
    return false;
  }
  return true;
}

using S = upstream::ServerSource;
constexpr Key<S> kSourceKeys[] = {
    special<S>("address", "address", "a service or a file",
               [](Problems& p, const Node& n, S& o) {
                 if (expect(p, n, Node::Kind::kString)) decode_source_address(p, n, o);
               }),
    ranged<0, kListPriorityMax, &S::priority>("priority", "of the servers that the list puts first"),
};

using D = upstream::DiscoveryOptions;

// Names are not asked for in a busy loop, whatever their TTL.
template <auto Member, bool MayBeOff>
constexpr auto unhurried(std::string_view name, std::string_view meaning) {
  auto made = key<Member>(name, meaning);
  made.decode = [](Problems& problems, const Node& node, D& out) {
    constexpr Duration kLeast{100};
    Duration time = kLeast;
    decode_value(problems, node, time);
    if (time < kLeast && !(MayBeOff && time.count() == 0)) {
      problems.error("RP1004", node.at, fmt::format("{} is too short", shown(node)), "the least is \"100ms\"");
      return;
    }
    out.*Member = time;
  };
  return made;
}

// In the order of their enumerators.
constexpr std::array kFamilies{"any", "ipv4", "ipv6"};

constexpr Key<D> kDiscovery[] = {
    unhurried<&D::refresh, true>("refresh", "names are asked for again so often; 0: as their answers' TTL says"),
    unhurried<&D::min_ttl, false>("min_ttl", "an answer's TTL counts as no less"),
    unhurried<&D::max_ttl, false>("max_ttl", "an answer's TTL counts as no more"),
    one_of<kFamilies, &D::family>(
        "family", "any (of what this machine has itself), ipv4 or ipv6: which addresses of names are used"),
    key<&D::required>("required",
                      "not to start where a name or file leads to no server; else a warning, and tried again"),
};

using R = net::ResolverOptions;

void decode_name_servers(Problems& problems, const Node& node, R& out) {
  constexpr std::uint16_t kDnsPort = 53;
  if (!expect(problems, node, Node::Kind::kArray, "an array of addresses", "servers = [\"10.0.0.53\"]")) return;
  for (const Node& item : node.items) {
    if (!expect(problems, item, Node::Kind::kString)) continue;
    auto address = HostPort::parse(item.text);
    if (const auto ip = IpAddress::parse(item.text)) address = {HostPort::Kind::kIp, item.text, *ip, kDnsPort};
    if (address && address->kind == HostPort::Kind::kIp && address->port != 0) {
      out.servers.push_back(*address);
    } else {
      problems.error("RP1004", item.at, fmt::format("not the address of a DNS server: {}", shown(item)),
                     "write \"10.0.0.53\", \"127.0.0.1:5353\" or \"[2001:db8::53]:53\"");
    }
  }
}

std::string render_servers(const R& options) {
  std::vector<std::string> texts;
  for (const HostPort& server : options.servers) texts.push_back(server.to_string());
  return render_value(texts);
}

void decode_timeout(Problems& problems, const Node& node, R& out) {
  constexpr Duration kLongest{60'000};
  Duration time = out.timeout;
  decode_value(problems, node, time);
  if (time.count() > 0 && time <= kLongest) {
    out.timeout = time;
  } else {
    problems.error("RP1004", node.at, fmt::format("{} is out of range", shown(node)),
                   "it lies between \"1ms\" and \"1m\"");
  }
}

constexpr std::int64_t kAttemptsMax = 10;

constexpr Key<R> kResolver[] = {
    {"servers", "array of strings",
     "addresses of DNS servers, with a port where it is not 53; none: those of /etc/resolv.conf", decode_name_servers,
     render_servers},
    {"timeout", "duration", "of the first question to a server; doubles with each further attempt", decode_timeout,
     [](const R& o) { return render_value(o.timeout); }},
    ranged<1, kAttemptsMax, &R::attempts>("attempts", "at each server"),
    key<&R::search>("search", "complete short names by the domains that /etc/resolv.conf lists"),
};

}  // namespace

bool is_source(const Node& node) {
  return node.is(Node::Kind::kString) && (node.text.starts_with(kSrv) || node.text.starts_with(kFile));
}

void decode_source(Problems& problems, const Node& node, upstream::Options& out) {
  upstream::ServerSource source;
  const std::size_t before = problems.errors();
  if (node.is(Node::Kind::kString)) {
    decode_source_address(problems, node, source);
  } else {
    Node rest = node;
    std::erase_if(rest.members, [&](const Member& member) {
      const auto is_it = [&](const auto& key) { return key.name == member.key; };
      if (std::ranges::any_of(kSourceKeys, is_it) || std::ranges::none_of(endpoint_keys(), is_it)) return false;
      problems.error("RP1006", member.at, fmt::format("{} is what the list itself says of each server", member.key),
                     "delete it here");
      return true;
    });
    decode_table<S>(problems, rest, "a list of servers", kSourceKeys, source);
  }
  if (problems.errors() == before && node.is_whole()) out.sources.push_back(std::move(source));
}

Node without_dns(const Node& node) {
  Node copy = node;
  if (copy.is(Node::Kind::kString) && copy.text.starts_with(kDns) && is_name_with_port(copy.text.substr(kDns.size())))
    copy.text.erase(0, kDns.size());
  return copy;
}

void decode_discovery(Problems& problems, const Node& node, upstream::Options& out) {
  const std::size_t before = problems.errors();
  decode_table<D>(problems, node, "discovery", kDiscovery, out.discovery);
  if (out.discovery.min_ttl <= out.discovery.max_ttl || problems.errors() != before) return;
  const Node* least = node.find("min_ttl");
  const Node* most = node.find("max_ttl");
  problems.error("RP1006", (most != nullptr ? most : least)->at, "max_ttl is shorter than min_ttl",
                 fmt::format("min_ttl is {}", to_string(out.discovery.min_ttl)));
}

Keys<D> discovery_keys() { return kDiscovery; }
Keys<R> resolver_keys() { return kResolver; }

}  // namespace rproxy::config
