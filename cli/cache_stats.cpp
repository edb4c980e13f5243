// stats and du: a directory in numbers.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>

#include "cli/cache_directory.h"
#include "cli/cache_table.h"
#include "cli/cache_tally.h"
#include "cli/command.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLines = 10;
constexpr std::size_t kDuLines = 100;

// Seconds of age, each up to what is told; the last has no end.
constexpr std::array<std::int64_t, 6> kAges{60, 3600, 6 * 3600, 86'400, 7 * 86'400, 30 * 86'400};

Json view_of(const CacheTally& tally, std::size_t most) {
  Json lines = Json::array();
  for (const auto& [name, count] : tally.largest(most)) {
    lines.push_back(
        {{"name", name.empty() ? Json(nullptr) : Json(name)}, {"objects", count.objects}, {"bytes", count.bytes}});
  }
  return lines;
}

std::string type_of(const storage::DiskRow& row) {
  const auto type = cache::content_type_of(row.head.meta);
  return type.empty() ? "no type" : std::string(type);
}

std::string host_of(const storage::DiskRow& row) {
  const auto host = cache::host_of(row.head.meta.url());
  return host.empty() ? "no host" : std::string(host);
}

// "shop.com/images" of a depth of 1. What the last slash has behind it is a file.
std::string prefix_of(const storage::DiskRow& row, std::uint64_t depth) {
  const auto path = cache::path_of(row.head.meta.url());
  std::size_t end = 0;
  for (std::uint64_t i = 0; i < depth; ++i) {
    const auto next = path.find('/', end + 1);
    if (next == path.npos) break;
    end = next;
  }
  return host_of(row) + std::string(path.substr(0, std::max<std::size_t>(end, 1)));
}

struct Stats {
  CacheCount all;
  std::uint64_t on_disk = 0;
  CacheCount fresh;
  CacheCount stale;
  std::uint64_t purged = 0;
  CacheTally hosts;
  CacheTally statuses;
  CacheTally types;
  std::array<CacheCount, kAges.size() + 1> ages;

  void add(const storage::DiskRow& row, std::int64_t now_ms) {
    const cache::Meta& meta = row.head.meta;
    if (row.is_purged) {
      ++purged;
      return;
    }
    const std::int64_t age = cache::age_of(meta, now_ms);
    all.add(row.size());
    on_disk += row.size_on_disk();
    (!row.is_stale && age < meta.freshness.lifetime ? fresh : stale).add(row.size());
    hosts.add(host_of(row), row.size());
    statuses.add(std::to_string(meta.status), row.size());
    types.add(type_of(row), row.size());
    ages.at(static_cast<std::size_t>(std::ranges::upper_bound(kAges, age) - kAges.begin())).add(row.size());
  }
};

Json view_of(const Stats& stats, const std::string& path, std::uint64_t damaged) {
  Json ages = Json::array();
  for (std::size_t i = 0; i < stats.ages.size(); ++i) {
    ages.push_back({{"below", i < kAges.size() ? Json(kAges.at(i)) : Json(nullptr)},
                    {"objects", stats.ages.at(i).objects},
                    {"bytes", stats.ages.at(i).bytes}});
  }
  return {{"directory", path},
          {"objects", stats.all.objects},
          {"bytes", stats.all.bytes},
          {"bytes_on_disk", stats.on_disk},
          {"fresh", stats.fresh.objects},
          {"stale", stats.stale.objects},
          {"purged", stats.purged},
          {"damaged", damaged},
          {"by_host", view_of(stats.hosts, kLines)},
          {"by_status", view_of(stats.statuses, kLines)},
          {"by_type", view_of(stats.types, kLines)},
          {"by_age", std::move(ages)}};
}

std::string measured(const CacheQuestion& question, const storage::DiskRow& row) {
  const std::string by = !question.by.empty() ? question.by : question.depth ? "path" : "host";
  if (by == "host") return host_of(row);
  if (by == "type") return type_of(row);
  if (by == "status") return std::to_string(row.head.meta.status);
  return prefix_of(row, question.depth.value_or(1));
}

}  // namespace

Json directory_stats(const CacheQuestion& question) {
  Stats stats;
  CacheScan scan(question, "counting");
  scan.each({[&](const storage::DiskRow& row) {
    stats.add(row, scan.now_ms());
    return true;
  }});
  return view_of(stats, question.directory, scan.damaged());
}

int stat_directory(const CacheQuestion& question) {
  const Json stats = directory_stats(question);
  write_output(question.is_json ? json_line(stats, 2) : cache_directory_table(stats, width_of_output()));
  return kOk;
}

int measure_directory(const CacheQuestion& question) {
  CacheTally tally;
  CacheCount all;
  CacheScan scan(question, "measuring");
  scan.each_match([&](const storage::DiskRow& row) {
    tally.add(measured(question, row), row.size_on_disk());
    all.add(row.size_on_disk());
    return true;
  });
  const Json lines = view_of(tally, question.limit.value_or(kDuLines));
  if (question.is_json) {
    write_output(json_line({{"objects", all.objects}, {"bytes", all.bytes}, {"lines", lines}}, 2));
  } else {
    write_output(
        cache_count_table(lines, all.bytes, width_of_output()) +
        fmt::format("{:>10} {:>9}       in all\n", bytes_text(static_cast<std::int64_t>(all.bytes)), all.objects));
  }
  return kOk;
}

}  // namespace rproxy::cli
