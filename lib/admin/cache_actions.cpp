// Those that look into the cache, and those that take out of it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <variant>

#include "admin/actions.h"
#include "admin/cache_view.h"
#include "admin/members.h"
#include "base/log.h"
#include "cache/filter.h"
#include "cache/url.h"
#include "proxy/cache_scope.h"

namespace rproxy::admin {
namespace {

constexpr std::size_t kListMax = 10'000;
constexpr std::size_t kListUsually = 100;
constexpr const char* kNoCache = "no route has a cache";

std::vector<storage::MemoryStore::Row> rows_of(storage::Cache& cache) {
  std::vector<storage::MemoryStore::Row> rows;
  cache.memory().for_each([&](const auto& row) { rows.push_back(row); });
  return rows;
}

// ---- URLs.

// What the URL is known by: as it is written, and as each route's key has it.
std::set<std::string> keyed_urls(const config::Config& config, const http::RequestHead& url, Arena& arena) {
  std::set<std::string> keyed;
  const auto add = [&](const cache::KeyOptions& options) {
    keyed.emplace(cache::url_of(cache::make_key("-", options, url, url.authority, url.path, arena).text));
  };
  add({});
  for (const auto& route : config.routes) {
    const auto* forward = std::get_if<proxy::ForwardAction>(&route.action);
    if (forward != nullptr && forward->cache.enabled) add(forward->cache.policy.key);
  }
  return keyed;
}

Answer bad_url() { return problem(400, "url is one such as \"https://shop.com/images/a.png\""); }

// ---- Lists.

std::optional<Answer> take_filter(const Json& content, cache::Filter& filter) {
  Members members(content);
  members.text("host", filter.host);
  members.text("path", filter.path);
  members.text("type", filter.type);
  members.text("tag", filter.tag);
  std::optional<std::uint64_t> status;
  members.number("status", 599, status);
  if (status) filter.status = static_cast<std::uint16_t>(*status);
  members.flag("fresh", filter.is_fresh);
  std::optional<std::uint64_t> number;
  members.number("min_size", std::uint64_t{1} << 50, number);
  filter.size_min = number.value_or(0);
  number.reset();
  members.number("min_age", std::uint64_t{1} << 40, number);
  filter.age_min = static_cast<std::int64_t>(number.value_or(0));
  return members.complaint();
}

using Row = storage::MemoryStore::Row;

bool sort_rows(std::vector<Row>& rows, const std::string& by) {
  const auto size = [](const Row& row) { return row.entry->content()->size(); };
  const auto received = [](const Row& row) { return row.entry->meta().received_ms; };
  const auto hits = [](const Row& row) { return row.hits; };
  const auto url = [](const Row& row) { return row.entry->meta().url(); };
  if (by == "url") {
    std::ranges::sort(rows, {}, url);
  } else if (by == "size") {
    std::ranges::sort(rows, std::ranges::greater(), size);
  } else if (by == "age") {
    std::ranges::sort(rows, {}, received);
  } else if (by == "hits") {
    std::ranges::sort(rows, std::ranges::greater(), hits);
  } else {
    return false;
  }
  return true;
}

// What the caches of all routes made of what they were asked for.
Json requests_view(const metrics::Catalogue& catalogue) {
  metrics::RouteSeries total;
  std::set<const void*> seen;
  for (const auto& [name, series] : catalogue.routes()) {
    if (seen.insert(series.get()).second) series->add_to(total);
  }
  Json requests = Json::object();
  for (std::size_t i = 0; i < metrics::CacheCounters::kNames.size(); ++i) {
    requests[std::string(metrics::CacheCounters::kNames.at(i))] = total.cache.value(i);
  }
  return requests;
}

Json disk_view(const storage::DiskStore& disk) {
  const storage::DiskCounts& counts = disk.counts();
  return {{"path", disk.path()},
          {"objects", counts.objects.load()},
          {"objects_max", disk.limits().files},
          {"bytes", counts.bytes.load()},
          {"bytes_max", disk.limits().bytes},
          {"index_bytes", disk.index_cost()},
          {"scanned", counts.scan_done.load()},
          {"hits", counts.hits.load()},
          {"misses", counts.misses.load()},
          {"writes", counts.writes.load()},
          {"write_failures", counts.write_failures.load()},
          {"read_failures", counts.read_failures.load()},
          {"dropped", counts.dropped.load()},
          {"damaged", counts.damaged.load()},
          {"evicted", counts.evicted.load()},
          {"purged", counts.purged.load()}};
}

// ---- Purges.

std::optional<Answer> take_purge(const Json& content, cache::Purge& purge) {
  static constexpr std::pair<const char*, cache::Purge::Kind> kKinds[] = {{"url", cache::Purge::Kind::kUrl},
                                                                          {"prefix", cache::Purge::Kind::kPrefix},
                                                                          {"tag", cache::Purge::Kind::kTag},
                                                                          {"group", cache::Purge::Kind::kGroup}};
  Members members(content);
  std::size_t count = 0;
  for (const auto& [name, kind] : kKinds) {
    std::string what;
    members.text(name, what);
    if (what.empty()) continue;
    purge = {kind, std::move(what), purge.is_soft};
    ++count;
  }
  std::optional<bool> all;
  std::optional<bool> soft;
  members.flag("all", all);
  members.flag("soft", soft);
  if (auto complaint = members.complaint()) return complaint;
  if (all.value_or(false)) ++count;
  purge.is_soft = soft.value_or(false);
  if (count != 1) return problem(400, "exactly one of url, prefix, tag, group and all says what to purge");
  return std::nullopt;
}

}  // namespace

Answer get_cache(Call& call) {
  const auto& cache = call.subject.serving.cache;
  if (cache == nullptr) return json_answer({{"enabled", false}});
  storage::MemoryStore& memory = cache->memory();
  Json stats{{"enabled", true},
             {"memory",
              {{"objects", memory.counts().objects.load()},
               {"bytes", memory.bytes()},
               {"bytes_max", memory.bytes_max()},
               {"evicted", memory.counts().evicted.load()}}},
             {"filling_bytes", cache->filling().load()}};
  stats["requests"] = requests_view(*call.subject.serving.catalogue);
  if (cache->disk() != nullptr) stats["disk"] = disk_view(*cache->disk());
  return json_answer(stats);
}

Answer list_cache(Call& call) {
  const auto& cache = call.subject.serving.cache;
  if (cache == nullptr) return problem(404, kNoCache);
  Json content = call.content;
  std::string by = "url";
  std::optional<std::uint64_t> limit;
  Members members(content);
  members.text("sort", by);
  members.number("limit", kListMax, limit);
  if (const auto wrong = members.wrong()) return *wrong;
  content.erase("sort");
  content.erase("limit");
  cache::Filter filter;
  if (auto wrong = take_filter(content, filter)) return *wrong;
  const std::int64_t now = wall_ms();
  auto rows = rows_of(*cache);
  std::erase_if(rows, [&](const Row& row) {
    return !filter.holds(row.entry->meta(), row.entry->content()->size(), row.entry->is_marked_stale(), now);
  });
  if (!sort_rows(rows, by)) return problem(400, "sort is one of url, size, age and hits");
  Json objects = Json::array();
  for (std::size_t i = 0; i < std::min(rows.size(), limit.value_or(kListUsually)); ++i) {
    objects.push_back(cached_object_view(object_of(rows[i]), now));
  }
  return json_answer({{"matched", rows.size()}, {"objects", std::move(objects)}});
}

Answer show_cache(Call& call) {
  const auto& cache = call.subject.serving.cache;
  if (cache == nullptr) return problem(404, kNoCache);
  Members members(call.content);
  std::string text;
  members.text("url", text);
  if (auto wrong = members.complaint()) return *wrong;
  const config::Config& config = *call.subject.serving.config;
  Arena arena;
  const auto url = cache::parse_url(text, config.client.paths, arena);
  if (!url) return bad_url();
  const auto keyed = keyed_urls(config, *url, arena);
  const std::int64_t now = wall_ms();
  Json objects = Json::array();
  for (const Row& row : rows_of(*cache)) {
    if (keyed.contains(std::string(row.entry->meta().url()))) {
      objects.push_back(cached_object_details(object_of(row), now));
    }
  }
  if (objects.empty()) return problem(404, fmt::format("nothing is stored of {}", text));
  return json_answer({{"objects", std::move(objects)}});
}

Answer purge_cache(Call& call) {
  const auto& cache = call.subject.serving.cache;
  if (cache == nullptr) return problem(404, kNoCache);
  cache::Purge purge;
  if (auto wrong = take_purge(call.content, purge)) return *wrong;
  const std::int64_t now = wall_ms();
  storage::Cache::PurgeCount count;
  if (purge.kind == cache::Purge::Kind::kUrl) {
    const config::Config& config = *call.subject.serving.config;
    Arena arena;
    const auto url = cache::parse_url(purge.what, config.client.paths, arena);
    if (!url) return bad_url();
    for (const std::string& keyed : keyed_urls(config, *url, arena)) {
      const auto each = cache->purge({purge.kind, keyed, purge.is_soft}, now, call.held);
      count.memory += each.memory;
      if (each.disk) count.disk = count.disk.value_or(0) + *each.disk;
    }
  } else {
    count = cache->purge(purge, now, call.held);
  }
  log::info("admin: purged {} {}{}: {} answers in memory", to_string(purge.kind), purge.what,
            purge.is_soft ? " softly" : "", count.memory);
  Json done{{"purged", count.memory}, {"soft", purge.is_soft}};
  if (cache->disk() != nullptr) done["disk"] = count.disk ? Json(*count.disk) : Json(nullptr);
  return json_answer(done);
}

}  // namespace rproxy::admin
