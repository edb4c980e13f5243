#include "upstream/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "net/file_watch.h"
#include "net/sleep.h"
#include "upstream/server_file.h"

namespace rproxy::upstream {
namespace {

// After a failure, doubling.
constexpr Duration kRetryFirst{1'000};
constexpr Duration kRetryLongest{30'000};
// So much less, at most, of every time: many that start together are not to ask together for ever.
constexpr int kJitterPercent = 10;
// Where the file system does not tell.
constexpr Duration kFileLookEvery{5'000};
// A file that was just touched may be touched again.
constexpr Duration kFileSettles{100};
constexpr int kFileSettlingsMax = 50;

// Names of endpoints, the first of them.
std::string names_of(const std::vector<const DiscoveredEndpoint*>& endpoints) {
  constexpr std::size_t kShownMax = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(endpoints.size(), kShownMax); ++i)
    out += (i == 0 ? "" : ", ") + endpoints[i]->options.address.to_string();
  if (endpoints.size() > kShownMax) out += fmt::format(" and {} more", endpoints.size() - kShownMax);
  return out;
}

std::vector<const DiscoveredEndpoint*> only_in(const DiscoveredList& list, const DiscoveredList& other) {
  std::unordered_set<std::string_view> known;
  for (const auto& endpoint : other) known.insert(endpoint.key());
  std::vector<const DiscoveredEndpoint*> out;
  for (const auto& endpoint : list) {
    if (!known.contains(endpoint.key())) out.push_back(&endpoint);
  }
  return out;
}

void log_change(const std::string& upstream, const DiscoveredList& before, const DiscoveredList& after) {
  const auto added = only_in(after, before);
  const auto removed = only_in(before, after);
  std::string what = fmt::format("upstream {}: {} server{}", upstream, after.size(), after.size() == 1 ? "" : "s");
  if (!added.empty()) what += fmt::format("; new: {}", names_of(added));
  if (!removed.empty()) what += fmt::format("; gone: {}", names_of(removed));
  log::info("{}", what);
}

void log_failure(const std::string& upstream, const DiscoverySource& source) {
  const std::size_t count = source.list.size();
  const std::string kept = count == 0   ? "no server of it is known yet"
                           : count == 1 ? "the server it had is kept"
                                        : fmt::format("the {} servers it had are kept", count);
  log::warn("upstream {}: {}; {}", upstream, problem_of(source), kept);
}

}  // namespace

Discovery::Discovery(net::Loop& loop, net::Resolver& resolver, const Options& options, Setting setting,
                     const DiscoverySources& known)
    : loop_(loop),
      resolver_(resolver),
      options_(options),
      setting_(std::move(setting)),
      random_(static_cast<std::minstd_rand::result_type>(setting_.seed)),
      sources_(sources_of(options, known)) {}

void Discovery::start(DiscoveredList published) {
  published_ = std::move(published);
  for (DiscoverySource& source : sources_) {
    if (source.kind != DiscoverySource::Kind::kFile) {
      tasks_.spawn(follow_name(source));
      continue;
    }
    read_file(source);
    tasks_.spawn(follow_file(source));
  }
  publish();
}

net::Task<void> Discovery::follow_name(DiscoverySource& source) {
  for (;;) {
    if (source.due > loop_.now()) co_await net::Sleep(loop_, std::chrono::ceil<Duration>(source.due - loop_.now()));
    if (source.kind == DiscoverySource::Kind::kSrv) {
      Result<Found> found = co_await look_up_services(resolver_, options_, source.listed, source.targets);
      take(source, std::move(found));
    } else {
      Result<Found> found = co_await look_up_name(resolver_, options_, source.server, source.list);
      take(source, std::move(found));
    }
    publish();
  }
}

net::Task<void> Discovery::follow_file(DiscoverySource& source) {
  const std::string& path = source.listed.name;
  net::FileWatch watch(loop_, path);
  for (;;) {
    co_await watch.change(kFileLookEvery);
    std::string version = server_file_version(path);
    if (version == source.file_version) continue;
    for (int i = 0; i < kFileSettlingsMax; ++i) {
      co_await net::Sleep(loop_, kFileSettles);
      const std::string before = std::exchange(version, server_file_version(path));
      if (before == version) break;
    }
    read_file(source);
    publish();
  }
}

void Discovery::read_file(DiscoverySource& source) {
  const std::string& path = source.listed.name;
  // Before it is read: what changes meanwhile is read again.
  std::string version = server_file_version(path);
  if (version == source.file_version) return;
  source.file_version = std::move(version);
  const auto text = read_server_file(path);
  auto servers = text ? setting_.parse_file(path, *text) : fail(text.error());
  if (!servers) {
    take(source, fail(std::move(servers.error())));
    return;
  }
  Found found;
  for (auto& server : *servers) {
    if (server.priority != balance::kBackupPriority) server.priority += source.listed.priority;
    if (auto endpoint = fixed_endpoint(options_, server)) found.list.push_back(std::move(*endpoint));
  }
  source.failures = 0;
  take(source, std::move(found));
}

Duration Discovery::next_after(const DiscoverySource& source, const Result<Found>& found) {
  const DiscoveryOptions& chosen = options_.discovery;
  Duration time = kRetryFirst * (1 << std::min(source.failures, 6U));
  time = std::min(time, kRetryLongest);
  if (found) {
    const Duration whole = chosen.refresh.count() != 0
                               ? chosen.refresh
                               : std::clamp(found->ttl, chosen.min_ttl, std::max(chosen.min_ttl, chosen.max_ttl));
    time = found->is_whole ? whole : std::min(whole, time);
  }
  const auto most = time * kJitterPercent / 100;
  return time - Duration(most.count() > 0 ? static_cast<Duration::rep>(random_()) % most.count() : 0);
}

// Failures are told once; so is that they are over.
void Discovery::take(DiscoverySource& source, Result<Found> found) {
  source.was_asked = true;
  source.due = loop_.now() + next_after(source, found);
  const bool has_failed = !source.problem.empty();
  if (!found) {
    ++source.failures;
    const std::string before = std::exchange(source.problem, std::move(found.error().context));
    // Of a file each mistake is told: whoever has mended one wants to know of the next.
    if (!has_failed || (source.kind == DiscoverySource::Kind::kFile && source.problem != before))
      log_failure(options_.name, source);
    return;
  }
  if (has_failed) log::info("upstream {}: {} is found again", options_.name, source.label);
  source.failures = found->is_whole ? 0 : source.failures + 1;
  source.problem.clear();
  if (found->left_out != 0 && source.left_out == 0) {
    log::warn("upstream {}: {} leads to {} servers; the first {} are used", options_.name, source.label,
              found->list.size() + found->left_out, found->list.size());
  }
  source.left_out = found->left_out;
  source.list = std::move(found->list);
  source.targets = std::move(found->targets);
}

void Discovery::publish() {
  DiscoveredList now = list();
  if (now == published_) return;
  if (setting_.logs_changes) log_change(options_.name, published_, now);
  published_ = std::move(now);
  setting_.on_change(published_);
}

bool Discovery::is_settled() const { return std::ranges::all_of(sources_, &DiscoverySource::was_asked); }

}  // namespace rproxy::upstream
