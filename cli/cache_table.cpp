#include "cli/cache_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/text.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  return found->is_string() ? config::printable(found->get<std::string>()) : found->dump();
}

std::int64_t number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}

std::string bytes_text(std::int64_t bytes) {
  static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

// "2d3h", two units at most.
std::string time_text(std::int64_t seconds) {
  static constexpr std::pair<std::int64_t, char> kUnits[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  const std::string sign = seconds < 0 ? "-" : "";
  std::int64_t left = seconds < 0 ? -seconds : seconds;
  std::string out;
  int count = 0;
  for (const auto& [size, name] : kUnits) {
    if (left / size == 0 || count == 2) continue;
    out += fmt::format("{}{}", left / size, name);
    left %= size;
    ++count;
  }
  return sign + (out.empty() ? "0s" : out);
}

std::string disk_stats(const Json& disk) {
  const auto bytes = number_of(disk, "bytes");
  const auto most = std::max<std::int64_t>(number_of(disk, "bytes_max"), 1);
  std::string out = fmt::format("disk     {} of {} objects, {} of {} ({}%), {} evicted{}\n", number_of(disk, "objects"),
                                number_of(disk, "objects_max"), bytes_text(bytes), bytes_text(most), bytes * 100 / most,
                                number_of(disk, "evicted"), disk.value("scanned", true) ? "" : ", still being counted");
  out += fmt::format("         {} hits, {} misses, {} writes, {} left out for want of time\n", number_of(disk, "hits"),
                     number_of(disk, "misses"), number_of(disk, "writes"), number_of(disk, "dropped"));
  out += fmt::format("         {} failures to write, {} to read, {} damaged\n", number_of(disk, "write_failures"),
                     number_of(disk, "read_failures"), number_of(disk, "damaged"));
  return out;
}

}  // namespace

std::string cache_stats_table(const Json& stats) {
  if (!stats.value("enabled", false)) return "no route has a cache\n";
  const Json& memory = stats.at("memory");
  const auto bytes = number_of(memory, "bytes");
  const auto most = std::max<std::int64_t>(number_of(memory, "bytes_max"), 1);
  std::string out = fmt::format("memory   {} objects, {} of {} ({}%), {} evicted\n", number_of(memory, "objects"),
                                bytes_text(bytes), bytes_text(most), bytes * 100 / most, number_of(memory, "evicted"));
  out += fmt::format("coming   {}\n", bytes_text(number_of(stats, "filling_bytes")));
  if (const auto disk = stats.find("disk"); disk != stats.end()) out += disk_stats(*disk);
  return out;
}

std::string cache_list_table(const Json& list) {
  std::string out = fmt::format("{:>6} {:>9} {:>7} {:>7} {:>6}  {}\n", "STATUS", "SIZE", "AGE", "FRESH", "HITS", "URL");
  for (const Json& object : list.at("objects")) {
    out += fmt::format("{:>6} {:>9} {:>7} {:>7} {:>6}  {}\n", number_of(object, "status"),
                       bytes_text(number_of(object, "size")), time_text(number_of(object, "age")),
                       object.value("fresh", false) ? time_text(number_of(object, "ttl")) : "stale",
                       number_of(object, "hits"), text_of(object, "url"));
  }
  const auto matched = number_of(list, "matched");
  const auto shown = static_cast<std::int64_t>(list.at("objects").size());
  if (matched > shown) out += fmt::format("{} of {}: --limit shows more\n", shown, matched);
  return out;
}

std::string cache_objects_text(const Json& shown) {
  std::string out;
  for (const Json& object : shown.at("objects")) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{}\n", text_of(object, "url"));
    const auto line = [&](const char* name, const std::string& value) {
      if (!value.empty()) out += fmt::format("  {:<10} {}\n", name, value);
    };
    line("status", text_of(object, "status"));
    line("size", bytes_text(number_of(object, "size")) + (object.value("complete", true) ? "" : ", still coming"));
    line("hits", text_of(object, "hits"));
    line("key", text_of(object, "key"));
    line("received", text_of(object, "received"));
    line("freshness", text_of(object, "freshness"));
    line("until", text_of(object, "fresh_until"));
    if (const auto stale = number_of(object, "stale_while_revalidate"); stale != 0) {
      line("stale", time_text(stale) + " while it is validated");
    }
    if (const auto stale = number_of(object, "stale_if_error"); stale != 0) {
      line("stale", time_text(stale) + " where the upstream fails");
    }
    for (const auto& [name, value] : object.at("vary").items()) {
      line("vary", config::printable(name) + ": " + config::printable(value.get<std::string>()));
    }
    for (const auto& tag : object.at("tags")) line("tag", config::printable(tag.get<std::string>()));
    for (const auto& group : object.at("groups")) line("group", config::printable(group.get<std::string>()));
    for (const auto& field : object.at("fields")) {
      out += fmt::format("    {}: {}\n", config::printable(field.at(0).get<std::string>()),
                         config::printable(field.at(1).get<std::string>()));
    }
  }
  return out;
}

}  // namespace rproxy::cli
