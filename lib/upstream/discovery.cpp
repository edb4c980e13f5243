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

using Source = Discovery::Source;

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

std::optional<DiscoveredEndpoint> fixed_endpoint(const Options& upstream, const balance::EndpointOptions& server) {
  const auto address = net::to_socket_address(server.address);
  if (!address) return std::nullopt;
  return DiscoveredEndpoint{server, *address, tls_name_for(upstream, server.address.host)};
}

Source source_of(const balance::EndpointOptions& server) {
  Source source;
  source.server = server;
  source.label = server.address.to_string();
  return source;
}

Source source_of(const ServerSource& listed) {
  Source source;
  const bool is_srv = listed.kind == ServerSource::Kind::kSrv;
  source.kind = is_srv ? Source::Kind::kSrv : Source::Kind::kFile;
  source.listed = listed;
  source.label = (is_srv ? "srv:" : "file:") + listed.name;
  return source;
}

// What the operator calls the host of it.
const std::string& endpoint_host(const Source& source, const DiscoveredEndpoint& endpoint) {
  return source.kind == Source::Kind::kName ? source.server.address.host : endpoint.options.address.host;
}

// Names of endpoints, the first of them.
std::string names_of(const std::vector<const DiscoveredEndpoint*>& endpoints) {
  constexpr std::size_t kShownMax = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(endpoints.size(), kShownMax); ++i)
    out += (i == 0 ? "" : ", ") + endpoints[i]->options.address.to_string();
  if (endpoints.size() > kShownMax) out += fmt::format(" and {} more", endpoints.size() - kShownMax);
  return out;
}

std::string_view bytes_of(const net::SocketAddress& address) {
  return {reinterpret_cast<const char*>(&address.storage), address.size};
}

std::vector<const DiscoveredEndpoint*> only_in(const DiscoveredList& list, const DiscoveredList& other) {
  std::unordered_set<std::string_view> known;
  for (const auto& endpoint : other) known.insert(bytes_of(endpoint.address));
  std::vector<const DiscoveredEndpoint*> out;
  for (const auto& endpoint : list) {
    if (!known.contains(bytes_of(endpoint.address))) out.push_back(&endpoint);
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

// What failed names itself in its problem, but for one of many that a service leads to.
std::string problem_of(const Source& source) {
  return source.kind == Source::Kind::kSrv ? fmt::format("{}: {}", source.label, source.problem) : source.problem;
}

void log_failure(const std::string& upstream, const Source& source) {
  const std::size_t count = source.list.size();
  const std::string kept = count == 0   ? "no server of it is known yet"
                           : count == 1 ? "the server it had is kept"
                                        : fmt::format("the {} servers it had are kept", count);
  log::warn("upstream {}: {}; {}", upstream, problem_of(source), kept);
}

}  // namespace

Discovery::Discovery(net::Loop& loop, net::Resolver& resolver, const Options& options, Setting setting,
                     const Sources& known)
    : loop_(loop),
      resolver_(resolver),
      options_(options),
      setting_(std::move(setting)),
      random_(static_cast<std::minstd_rand::result_type>(setting_.seed)) {
  add_sources(known);
}

void Discovery::add_sources(const Sources& known) {
  for (const auto& server : options_.endpoints) {
    if (auto endpoint = fixed_endpoint(options_, server)) {
      fixed_.push_back(std::move(*endpoint));
    } else {
      sources_.push_back(source_of(server));
    }
  }
  for (const auto& listed : options_.sources) sources_.push_back(source_of(listed));
  for (Source& source : sources_) {
    const auto before = std::ranges::find_if(known, [&](const Source& other) {
      return other.label == source.label && other.server == source.server && other.listed == source.listed;
    });
    if (before == known.end()) continue;
    source = *before;
    // What the names of certificates must be may have changed. A file is read again.
    source.file_version.clear();
    const bool is_srv = source.kind == Source::Kind::kSrv;
    for (auto& endpoint : source.list)
      endpoint.tls_name =
          tls_name_for(options_, is_srv ? domain_of(source.listed.name) : endpoint_host(source, endpoint));
  }
}

void Discovery::start(DiscoveredList published) {
  published_ = std::move(published);
  for (Source& source : sources_) {
    if (source.kind != Source::Kind::kFile) {
      tasks_.spawn(follow_name(source));
      continue;
    }
    read_file(source);
    tasks_.spawn(follow_file(source));
  }
  publish();
}

net::Task<void> Discovery::follow_name(Source& source) {
  for (;;) {
    if (source.due > loop_.now()) co_await net::Sleep(loop_, std::chrono::ceil<Duration>(source.due - loop_.now()));
    if (source.kind == Source::Kind::kSrv) {
      Result<Found> found = co_await look_up_services(resolver_, options_, source.listed, source.targets);
      take(source, std::move(found));
    } else {
      Result<Found> found = co_await look_up_name(resolver_, options_, source.server, source.list);
      take(source, std::move(found));
    }
    publish();
  }
}

net::Task<void> Discovery::follow_file(Source& source) {
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

void Discovery::read_file(Source& source) {
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
    server.priority += source.listed.priority;
    if (auto endpoint = fixed_endpoint(options_, server)) found.list.push_back(std::move(*endpoint));
  }
  source.failures = 0;
  take(source, std::move(found));
}

Duration Discovery::next_after(const Source& source, const Result<Found>& found) {
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
void Discovery::take(Source& source, Result<Found> found) {
  source.was_asked = true;
  source.due = loop_.now() + next_after(source, found);
  const bool has_failed = !source.problem.empty();
  if (!found) {
    ++source.failures;
    const std::string before = std::exchange(source.problem, std::move(found.error().context));
    // Of a file each mistake is told: whoever has mended one wants to know of the next.
    if (!has_failed || (source.kind == Source::Kind::kFile && source.problem != before))
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

bool Discovery::is_settled() const { return std::ranges::all_of(sources_, &Source::was_asked); }

std::optional<std::string> Discovery::missing() const {
  for (const Source& source : sources_) {
    if (source.list.empty()) return source.problem.empty() ? source.label + ": no answer in time" : problem_of(source);
  }
  return std::nullopt;
}

DiscoveredList Discovery::list() const {
  DiscoveredList all = fixed_;
  for (const Source& source : sources_) all.insert(all.end(), source.list.begin(), source.list.end());
  std::unordered_set<std::string> known;
  std::erase_if(all, [&](const DiscoveredEndpoint& endpoint) {
    return known.size() >= kListedServersMax || !known.emplace(bytes_of(endpoint.address)).second;
  });
  return all;
}

}  // namespace rproxy::upstream
