// The servers of one upstream, kept up to date: names are asked for again when their answers are over, lists in files are read again when
// they change. What fails changes nothing: the last good answer stands until there is another. Belongs to one loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "net/task_group.h"
#include "upstream/discovered.h"
#include "upstream/discovery_source.h"
#include "upstream/lookup.h"
#include "upstream/options.h"
#include "upstream/server_list.h"

namespace rproxy::upstream {

class Discovery {
 public:
  struct Setting {
    ParseServerList parse_file = parse_server_list;
    std::uint64_t seed = 1;    // of the jitter
    bool logs_changes = true;  // of the list; failures are always logged
    std::function<void(const DiscoveredList&)> on_change = [](const auto&) {};  // may not end the discovery
  };

  // `options` and `resolver` outlive it. What `known` has of the same sources is where it goes on from.
  Discovery(net::Loop& loop, net::Resolver& resolver, const Options& options, Setting setting,
            const DiscoverySources& known = {});
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  // Reads what files there are, and begins asking. Lists that differ from `published` are told from now on.
  void start(DiscoveredList published = {});

  DiscoveredList list() const { return list_of(options_, sources_); }
  // Everything has been asked for at least once.
  bool is_settled() const;
  const DiscoverySources& sources() const { return sources_; }

 private:
  net::Task<void> follow_name(DiscoverySource& source);
  net::Task<void> follow_file(DiscoverySource& source);
  void read_file(DiscoverySource& source);
  void take(DiscoverySource& source, Result<Found> found);
  void publish();
  Duration next_after(const DiscoverySource& source, const Result<Found>& found);

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Options& options_;
  Setting setting_;
  std::minstd_rand random_;
  DiscoverySources sources_;
  DiscoveredList published_;
  net::TaskGroup tasks_;
};

}  // namespace rproxy::upstream
