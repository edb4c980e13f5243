#include "upstream/discovery_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "upstream/lookup.h"
#include "upstream/server_list.h"

namespace rproxy::upstream {
namespace {

DiscoverySource source_of(const balance::EndpointOptions& server) {
  DiscoverySource source;
  source.server = server;
  source.label = server.address.to_string();
  return source;
}

DiscoverySource source_of(const ServerSource& listed) {
  DiscoverySource source;
  const bool is_srv = listed.kind == ServerSource::Kind::kSrv;
  source.kind = is_srv ? DiscoverySource::Kind::kSrv : DiscoverySource::Kind::kFile;
  source.listed = listed;
  source.label = (is_srv ? "srv:" : "file:") + listed.name;
  return source;
}

// What the operator calls the host of it.
const std::string& endpoint_host(const DiscoverySource& source, const DiscoveredEndpoint& endpoint) {
  return source.kind == DiscoverySource::Kind::kName ? source.server.address.host : endpoint.options.address.host;
}

}  // namespace

std::optional<DiscoveredEndpoint> fixed_endpoint(const Options& upstream, const balance::EndpointOptions& server) {
  const auto address = net::to_socket_address(server.address);
  if (!address) return std::nullopt;
  return DiscoveredEndpoint{server, *address, tls_name_for(upstream, server.address.host)};
}

DiscoverySources sources_of(const Options& upstream, const DiscoverySources& known) {
  DiscoverySources sources;
  for (const auto& server : upstream.endpoints) {
    if (!net::to_socket_address(server.address)) sources.push_back(source_of(server));
  }
  for (const auto& listed : upstream.sources) sources.push_back(source_of(listed));
  for (DiscoverySource& source : sources) {
    const auto before = std::ranges::find_if(known, [&](const DiscoverySource& other) {
      return other.label == source.label && other.server == source.server && other.listed == source.listed;
    });
    if (before == known.end()) continue;
    source = *before;
    // What the names of certificates must be may have changed. A file is read again.
    source.file_version.clear();
    const bool is_srv = source.kind == DiscoverySource::Kind::kSrv;
    for (auto& endpoint : source.list) {
      endpoint.tls_name =
          tls_name_for(upstream, is_srv ? domain_of(source.listed.name) : endpoint_host(source, endpoint));
    }
  }
  return sources;
}

DiscoveredList list_of(const Options& upstream, const DiscoverySources& sources) {
  DiscoveredList all;
  for (const auto& server : upstream.endpoints) {
    if (auto endpoint = fixed_endpoint(upstream, server)) all.push_back(std::move(*endpoint));
  }
  for (const auto& source : sources) all.insert(all.end(), source.list.begin(), source.list.end());
  std::unordered_set<std::string> known;
  std::erase_if(all, [&](const DiscoveredEndpoint& endpoint) {
    return known.size() >= kListedServersMax || !known.emplace(endpoint.key()).second;
  });
  return all;
}

// What failed names itself in its problem, but for one of many that a service leads to.
std::string problem_of(const DiscoverySource& source) {
  return source.kind == DiscoverySource::Kind::kSrv ? fmt::format("{}: {}", source.label, source.problem)
                                                    : source.problem;
}

std::string missing_of(const DiscoverySources& sources) {
  for (const DiscoverySource& source : sources) {
    if (!source.list.empty()) continue;
    return source.problem.empty() ? source.label + ": no answer in time" : problem_of(source);
  }
  return {};
}

}  // namespace rproxy::upstream
