// What one name of an upstream leads to, asked of the DNS once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/resolver.h"
#include "net/task.h"
#include "upstream/discovered.h"
#include "upstream/options.h"

namespace rproxy::upstream {

struct Found {
  // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
  Found() = default;

  DiscoveredList list;
  Duration ttl{0};
  std::size_t left_out = 0;  // more than are taken
  bool is_whole = true;      // else some of it could not be asked, and stands as it was known
  std::map<std::string, std::vector<IpAddress>> targets;  // of services, for the next time
};

// Addresses of "name:port". What could not be asked of one family stands as in `known`. Errors: as the resolver's.
net::Task<Result<Found>> look_up_name(net::Resolver& resolver, const Options& upstream,
                                      const balance::EndpointOptions& server, const DiscoveredList& known);

// Addresses of all targets of SRV records. Targets that could not be asked stand as in `known`.
net::Task<Result<Found>> look_up_services(net::Resolver& resolver, const Options& upstream, const ServerSource& source,
                                          const std::map<std::string, std::vector<IpAddress>>& known);

// "_https._tcp.shop.internal" is a service of shop.internal.
std::string domain_of(std::string_view service);
// The name that certificates must have, of servers of that host.
std::string tls_name_for(const Options& upstream, const std::string& host);

// The shares by which services of one priority are used, to 0..1000. None that others have more of gets nothing (RFC 2782).
std::vector<std::uint32_t> scale_weights(const std::vector<std::uint16_t>& weights);

}  // namespace rproxy::upstream
