// What is known of one name, service or file that lists servers. A successor of the discovery that keeps it up to date may take it over.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "balance/endpoint.h"
#include "base/units.h"
#include "upstream/discovered.h"
#include "upstream/options.h"

namespace rproxy::upstream {

struct DiscoverySource {
  enum class Kind : std::uint8_t { kName, kSrv, kFile };
  Kind kind = Kind::kName;
  balance::EndpointOptions server;  // kName
  ServerSource listed;              // kSrv, kFile
  std::string label;                // "app.internal:8001", "srv:_http._tcp.app.internal", "file:/etc/app.list"

  DiscoveredList list;                                    // the last good answer
  std::map<std::string, std::vector<IpAddress>> targets;  // kSrv: what its targets were
  std::string file_version;                               // kFile: what was read last, good or not
  TimePoint due{};                                        // to be asked again
  std::size_t left_out = 0;
  unsigned failures = 0;   // in a row
  bool was_asked = false;  // an answer, or a failure, has come
  std::string problem;     // why it has failed; empty: it has not
};
using DiscoverySources = std::vector<DiscoverySource>;

// Those of an upstream, as far as `known` has them with what is known of them.
DiscoverySources sources_of(const Options& upstream, const DiscoverySources& known);

// All servers: those with an address first, in the order of the configuration, then what the sources list; each once.
DiscoveredList list_of(const Options& upstream, const DiscoverySources& sources);

// The first that has nothing, and why; empty: all have something.
std::string missing_of(const DiscoverySources& sources);
// What has failed, in words.
std::string problem_of(const DiscoverySource& source);

// The server as it is where its address is one; else nothing.
std::optional<DiscoveredEndpoint> fixed_endpoint(const Options& upstream, const balance::EndpointOptions& server);

}  // namespace rproxy::upstream
