#include "upstream/lookup.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "upstream/server_list.h"

namespace rproxy::upstream {
namespace {

using Answer = net::Resolver::Answer;

void add(DiscoveredList& list, balance::EndpointOptions options, const IpAddress& ip, const HostPort& called,
         const std::string& tls_name) {
  options.address = {HostPort::Kind::kIp, ip.to_string(), ip, called.port};
  const auto address = net::to_socket_address(options.address);
  list.push_back({std::move(options), *address, tls_name, called});
}

bool is_of(const DiscoveredEndpoint& endpoint, net::AddressFamily family) {
  return endpoint.options.address.ip.is_v4() == (family == net::AddressFamily::kIpv4);
}

// Weights of one priority, the rank of that, and what is said of each service by them.
struct Ranked {
  std::vector<std::uint32_t> priorities;
  std::vector<std::uint32_t> weights;
};

Ranked rank(const std::vector<net::DnsService>& services, std::uint32_t first) {
  Ranked ranked;
  std::uint32_t priority = first;
  for (std::size_t begin = 0; begin < services.size(); ++priority) {
    std::vector<std::uint16_t> weights;
    std::size_t end = begin;
    for (; end < services.size() && services[end].priority == services[begin].priority; ++end)
      weights.push_back(services[end].weight);
    for (const std::uint32_t weight : scale_weights(weights)) {
      ranked.weights.push_back(weight);
      ranked.priorities.push_back(priority);
    }
    begin = end;
  }
  return ranked;
}

using Known = std::map<std::string, std::vector<IpAddress>>;

// Each question takes sockets.
constexpr std::size_t kTargetsAtOnce = 16;

// What the answer says, and, of what it does not, what was known before.
std::vector<IpAddress> take_addresses(Result<Answer>& answer, const std::vector<IpAddress>& known, Found& found) {
  if (!answer || answer->missing) found.is_whole = false;
  if (!answer) return known;
  found.ttl = std::min(found.ttl, answer->ttl);
  found.left_out += answer->left_out;
  auto addresses = std::move(answer->addresses);
  for (const auto& address : known) {
    if (answer->missing && address.is_v4() == (*answer->missing == net::AddressFamily::kIpv4))
      addresses.push_back(address);
  }
  return addresses;
}

// Each is asked for once.
net::Task<Result<Known>> look_up_targets(net::Resolver& resolver, const std::vector<net::DnsService>& services,
                                         net::AddressFamily family, const Known& known, Found& found) {
  std::set<std::string> left;
  for (const auto& service : services) left.insert(service.target);
  Known targets;
  std::optional<Error> problem;
  while (!left.empty()) {
    std::map<std::string, net::Child<Result<Answer>>> asked;
    while (!left.empty() && asked.size() < kTargetsAtOnce) {
      const std::string target = left.extract(left.begin()).value();
      asked.emplace(target, net::Child<Result<Answer>>(resolver.resolve(target, family)));
    }
    for (auto& [target, child] : asked) {
      co_await child.wait();
      Result<Answer> answer = child.take();
      if (!answer && !problem) problem = answer.error();
      const auto before = known.find(target);
      auto addresses = take_addresses(answer, before != known.end() ? before->second : std::vector<IpAddress>(), found);
      if (!addresses.empty()) targets.emplace(target, std::move(addresses));
    }
  }
  if (targets.empty()) co_return fail(std::move(*problem));
  co_return targets;
}

}  // namespace

std::string domain_of(std::string_view service) {
  while (service.starts_with('_') && service.find('.') != std::string_view::npos)
    service.remove_prefix(service.find('.') + 1);
  return std::string(service);
}

std::string tls_name_for(const Options& upstream, const std::string& host) {
  return upstream.tls.server_name.empty() ? host : upstream.tls.server_name;
}

std::vector<std::uint32_t> scale_weights(const std::vector<std::uint16_t>& weights) {
  const std::uint32_t most = weights.empty() ? 0 : *std::ranges::max_element(weights);
  const bool has_none = std::ranges::find(weights, 0) != weights.end();
  std::vector<std::uint32_t> out;
  for (const std::uint32_t weight : weights) {
    // Beside others, none is a very small chance; all of none are equal.
    const bool is_scaled = most > kWeightMax || (has_none && most > 0);
    out.push_back(std::max<std::uint32_t>(is_scaled ? weight * kWeightMax / most : weight, 1));
  }
  return out;
}

net::Task<Result<Found>> look_up_name(net::Resolver& resolver, const Options& upstream,
                                      const balance::EndpointOptions& server, const DiscoveredList& known) {
  Result<Answer> answer = co_await resolver.resolve(server.address.host, upstream.discovery.family);
  if (!answer) co_return fail(std::move(answer.error()));
  Found found;
  found.ttl = answer->ttl;
  found.left_out = answer->left_out;
  const std::string tls_name = tls_name_for(upstream, server.address.host);
  for (const auto& ip : answer->addresses) add(found.list, server, ip, server.address, tls_name);
  if (answer->missing) {
    found.is_whole = false;
    for (const auto& endpoint : known) {
      if (is_of(endpoint, *answer->missing)) found.list.push_back(endpoint);
    }
  }
  co_return found;
}

net::Task<Result<Found>> look_up_services(net::Resolver& resolver, const Options& upstream, const ServerSource& source,
                                          const Known& known) {
  Result<net::Resolver::Services> services = co_await resolver.resolve_srv(source.name);
  if (!services) co_return fail(std::move(services.error()));
  Found found;
  found.ttl = services->ttl;
  found.left_out = services->left_out;
  Result<Known> targets =
      co_await look_up_targets(resolver, services->services, upstream.discovery.family, known, found);
  if (!targets) co_return fail(std::move(targets.error()));
  // RFC 6125 6.2.1: what the operator wrote is what the certificate must say, not a name that the DNS brought.
  const std::string tls_name = tls_name_for(upstream, domain_of(source.name));
  const Ranked ranked = rank(services->services, source.priority);
  for (std::size_t i = 0; i < services->services.size(); ++i) {
    const net::DnsService& service = services->services[i];
    balance::EndpointOptions options;
    options.weight = ranked.weights[i];
    options.priority = ranked.priorities[i];
    const auto addresses = targets->find(service.target);
    if (addresses == targets->end()) continue;
    const HostPort called{HostPort::Kind::kName, service.target, {}, service.port};
    for (const auto& ip : addresses->second) add(found.list, options, ip, called, tls_name);
  }
  found.targets = std::move(*targets);
  co_return found;
}

}  // namespace rproxy::upstream
