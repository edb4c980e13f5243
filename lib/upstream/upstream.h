// One upstream as all workers share it: its options, and the endpoints it has just now with the state that balancing keeps of each.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "upstream/capacity.h"
#include "upstream/discovery_source.h"
#include "upstream/endpoint.h"
#include "upstream/options.h"

namespace rproxy::upstream {

class Upstream {
 public:
  // With the servers that have an address, and what is known of the others; where that is nothing, they come by adopt(). An endpoint that
  // `previous` has stays the same object, with all that was learnt about it.
  static Result<std::shared_ptr<Upstream>> create(Options options, const Upstream* previous = nullptr,
                                                  DiscoverySources known = {});
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  // What it shares with a previous one is told what is configured otherwise now: when it is certain that this one takes over.
  void take_over();

  const Options& options() const { return options_; }
  const std::string& name() const { return options_.name; }
  balance::Peers& peers() const { return *peers_; }
  Capacity& capacity() const { return *capacity_; }

  // Thread-safe. Whoever holds a set of another version than version() may ask again.
  EndpointSetPtr endpoints() const;
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  void replace(std::vector<EndpointPtr> endpoints);
  // What discovery has found from now on. Only what differs from what it had found before is changed: what was added, taken out or told
  // otherwise by hand stays so.
  void adopt(const DiscoveredList& list, DiscoverySources known);
  // What it knows, for a successor.
  DiscoverySources known() const;

  // That endpoint of the set, where it has it, told what is configured now; else a new one, which is in no set yet.
  EndpointPtr find_or_make(const balance::EndpointOptions& options, const net::SocketAddress& address) const;

 private:
  using Told = std::vector<std::pair<EndpointPtr, balance::EndpointOptions>>;

  Upstream(Options options, const Upstream* previous);
  DiscoveredList found() const;
  void install(std::vector<EndpointPtr> endpoints);

  const Options options_;
  const std::shared_ptr<balance::Peers> peers_;
  const std::shared_ptr<Capacity> capacity_;
  mutable std::mutex mutex_;
  EndpointSetPtr endpoints_ = std::make_shared<EndpointSet>(std::vector<EndpointPtr>(), 0);
  DiscoveredList found_;  // what discovery had found last
  DiscoverySources known_;
  EndpointSetPtr before_;  // the previous one's; null: there was none
  Told to_tell_;           // those of it that are configured otherwise
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace rproxy::upstream
