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
#include "upstream/lookup.h"
#include "upstream/options.h"
#include "upstream/server_list.h"

namespace rproxy::upstream {

class Discovery {
 public:
  // What is known of one name or file; a successor may take it over.
  struct Source {
    enum class Kind : std::uint8_t { kName, kSrv, kFile };
    Kind kind = Kind::kName;
    balance::EndpointOptions server;  // kName
    ServerSource listed;              // kSrv, kFile
    std::string label;                // "app.internal:8001", "srv:_http._tcp.app.internal", "file:/etc/app.list"

    DiscoveredList list;                                    // the last good answer
    std::map<std::string, std::vector<IpAddress>> targets;  // kSrv: and what its targets were
    std::string file_version;                               // kFile: what was read last, good or not
    TimePoint due{};                                        // to be asked again
    std::size_t left_out = 0;
    unsigned failures = 0;   // in a row
    bool was_asked = false;  // an answer, or a failure, has come
    std::string problem;     // why it has failed; empty: it has not
  };
  using Sources = std::vector<Source>;

  struct Setting {
    ParseServerList parse_file = parse_server_list;
    std::uint64_t seed = 1;    // of the jitter
    bool logs_changes = true;  // of the list; failures are always logged
    std::function<void(const DiscoveredList&)> on_change = [](const auto&) {};  // may not end the discovery
  };

  // `options` and `resolver` outlive it. What `known` has of the same sources is where it goes on from.
  Discovery(net::Loop& loop, net::Resolver& resolver, const Options& options, Setting setting,
            const Sources& known = {});
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  // Reads what files there are, and begins asking. Lists that differ from `published` are told from now on.
  void start(DiscoveredList published = {});

  // All servers: those with an address first, in the order of the configuration, each once.
  DiscoveredList list() const;
  // Everything has been asked for at least once.
  bool is_settled() const;
  // Of the first that has nothing: what and why.
  std::optional<std::string> missing() const;
  const Sources& sources() const { return sources_; }

 private:
  void add_sources(const Sources& known);
  net::Task<void> follow_name(Source& source);
  net::Task<void> follow_file(Source& source);
  void read_file(Source& source);
  void take(Source& source, Result<Found> found);
  void publish();
  Duration next_after(const Source& source, const Result<Found>& found);

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Options& options_;
  Setting setting_;
  std::minstd_rand random_;
  Sources sources_;
  DiscoveredList fixed_;
  DiscoveredList published_;
  net::TaskGroup tasks_;
};

}  // namespace rproxy::upstream
