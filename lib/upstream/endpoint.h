// A backend server of an upstream, and the list of those it has just now.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/endpoint.h"
#include "metrics/series.h"
#include "metrics/sharded.h"
#include "net/socket_address.h"

namespace rproxy::upstream {

struct Endpoint {
  balance::EndpointState state;
  net::SocketAddress address;
  metrics::Sharded<metrics::EndpointSeries> series;
  std::string tls_name;  // SNI and the name the certificate must have
  std::vector<std::string>
      names;  // every way it may call itself in a URL or a cookie: as configured, and as that was resolved

  Endpoint(const balance::EndpointOptions& options, std::shared_ptr<balance::Peers> peers,
           const net::SocketAddress& resolved, std::string name);

  // Before it is shared.
  void add_names(const HostPort& called);
};

// What an operator reads of an ejection; `why` in words.
void log_ejection(std::string_view upstream, const balance::EndpointState& state, std::string_view why, TimePoint now);

// All that look at an endpoint share it: workers, checks, a reload's old and new configuration.
using EndpointPtr = std::shared_ptr<Endpoint>;

// Immutable: another list is another set.
class EndpointSet {
 public:
  EndpointSet(std::vector<EndpointPtr> endpoints, std::uint64_t version)
      : endpoints_(std::move(endpoints)), version_(version) {
    states_.reserve(endpoints_.size());
    for (const auto& endpoint : endpoints_) states_.push_back(&endpoint->state);
  }

  std::span<const EndpointPtr> endpoints() const { return endpoints_; }
  // In the same order.
  std::span<balance::EndpointState* const> states() const { return states_; }
  std::uint64_t version() const { return version_; }

 private:
  std::vector<EndpointPtr> endpoints_;
  std::vector<balance::EndpointState*> states_;
  std::uint64_t version_;
};

using EndpointSetPtr = std::shared_ptr<const EndpointSet>;

}  // namespace rproxy::upstream
