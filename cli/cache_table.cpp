#include "cli/cache_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

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

// What fits into so many columns; 0: all.
std::string fitted(const std::string& text, std::size_t width) {
  return width == 0 ? text : config::cut_text(text, std::max<std::size_t>(width, 16));
}

std::string share_text(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "-" : fmt::format("{}%", (part * 100 + whole / 2) / whole);
}

// Columns before what is as long as it is, and what cut_text() adds.
constexpr std::size_t kBeforeUrl = 41;
constexpr std::size_t kBeforeName = 28;

}  // namespace

std::string bytes_text(std::int64_t bytes) {
  static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

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

namespace {

// Of those that were its business.
std::string request_stats(const Json& requests) {
  const auto of = [&](const char* name) { return number_of(requests, name); };
  const std::int64_t hits = of("hit") + of("stale") + of("stale_error");
  const std::int64_t all = hits + of("miss") + of("revalidated");
  const double share = all > 0 ? 100.0 * static_cast<double>(hits) / static_cast<double>(all) : 0;
  return fmt::format("hits     {:.1f}% of {} requests; {} missed, {} validated, {} passed by\n", share, all, of("miss"),
                     of("revalidated"), of("pass"));
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
  if (const auto requests = stats.find("requests"); requests != stats.end()) out += request_stats(*requests);
  if (const auto disk = stats.find("disk"); disk != stats.end()) out += disk_stats(*disk);
  return out;
}

std::string cache_count_table(const Json& lines, std::uint64_t bytes, std::size_t width) {
  std::string out = fmt::format("{:>10} {:>9} {:>5}  {}\n", "SIZE", "OBJECTS", "SHARE", "OF");
  for (const Json& line : lines) {
    const std::string name = line.at("name").is_null() ? "(others)" : text_of(line, "name");
    out += fmt::format("{:>10} {:>9} {:>5}  {}\n", bytes_text(number_of(line, "bytes")), number_of(line, "objects"),
                       share_text(number_of(line, "bytes"), static_cast<std::int64_t>(bytes)),
                       fitted(name, width > kBeforeName ? width - kBeforeName : width));
  }
  return out;
}

std::string cache_directory_table(const Json& stats, std::size_t width) {
  const auto objects = number_of(stats, "objects");
  const auto bytes = number_of(stats, "bytes");
  std::string out = fmt::format("disk     {} objects, {} ({} on disk)\n", objects, bytes_text(bytes),
                                bytes_text(number_of(stats, "bytes_on_disk")));
  out += fmt::format("state    {} fresh, {} stale", number_of(stats, "fresh"), number_of(stats, "stale"));
  if (const auto purged = number_of(stats, "purged"); purged != 0) out += fmt::format(", {} purged", purged);
  if (const auto damaged = number_of(stats, "damaged"); damaged != 0) {
    out += fmt::format(", {} damaged: verify says which", damaged);
  }
  out += '\n';
  static constexpr std::pair<const char*, const char*> kParts[] = {
      {"by_host", "host"}, {"by_status", "status"}, {"by_type", "type"}};
  for (const auto& [key, name] : kParts) {
    if (objects == 0) continue;
    out += fmt::format("\nby {}\n{}", name, cache_count_table(stats.at(key), static_cast<std::uint64_t>(bytes), width));
  }
  if (objects == 0) return out;
  constexpr std::int64_t kBar = 40;
  out += fmt::format("\nby age\n{:>10} {:>9}\n", "AGE", "OBJECTS");
  for (const Json& age : stats.at("by_age")) {
    const auto count = number_of(age, "objects");
    const std::string below = age.at("below").is_null() ? "older" : "< " + time_text(number_of(age, "below"));
    const auto filled = static_cast<std::size_t>((count * kBar + objects - 1) / objects);
    out += fmt::format("{:>10} {:>9}", below, count);
    out += count == 0 ? "\n" : "  " + std::string(filled, '#') + "\n";
  }
  return out;
}

std::string cache_list_head(bool has_hits) {
  return fmt::format("{:>6} {:>9} {:>7} {:>7} {}{}\n", "STATUS", "SIZE", "AGE", "FRESH", has_hits ? "  HITS  " : " ",
                     "URL");
}

std::string cache_list_line(const Json& object, std::size_t width) {
  const bool has_hits = object.contains("hits");
  const std::string hits = has_hits ? fmt::format("{:>6}  ", number_of(object, "hits")) : " ";
  const std::size_t before = has_hits ? kBeforeUrl : kBeforeUrl - 7;
  return fmt::format("{:>6} {:>9} {:>7} {:>7} {}{}\n", number_of(object, "status"),
                     bytes_text(number_of(object, "size")), time_text(number_of(object, "age")),
                     object.value("fresh", false) ? time_text(number_of(object, "ttl")) : "stale", hits,
                     fitted(text_of(object, "url"), width > before ? width - before : width));
}

std::string cache_list_table(const Json& list, std::size_t width) {
  std::string out = cache_list_head(true);
  for (const Json& object : list.at("objects")) out += cache_list_line(object, width);
  const auto matched = number_of(list, "matched");
  const auto shown = static_cast<std::int64_t>(list.at("objects").size());
  if (matched > shown) out += fmt::format("{} of {}: --limit shows more\n", shown, matched);
  return out;
}

std::string cache_top_table(const Json& list, const std::vector<double>& rates, std::size_t width) {
  std::string out = fmt::format("{:>8} {}", "HITS/s", cache_list_head(true));
  std::size_t i = 0;
  for (const Json& object : list.at("objects")) {
    out += fmt::format("{:>8.1f} {}", i < rates.size() ? rates[i] : 0.0,
                       cache_list_line(object, width > 9 ? width - 9 : 0));
    ++i;
  }
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
    line("file", text_of(object, "file"));
    if (object.value("purged", false)) line("purged", "never given again; the file goes with the next look at it");
    line("key", text_of(object, "key"));
    line("received", text_of(object, "received"));
    const Json terms = object.value("terms", Json::object());
    for (const auto& [name, value] : terms.items()) {
      line(name.c_str(), config::printable(value.get<std::string>()));
    }
    line("until", text_of(object, "fresh_until"));
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

std::string cache_why_text(const Json& why) {
  const auto line = [](const char* name, const std::string& value) {
    return fmt::format("  {:<10} {}\n", name, value);
  };
  std::string out = fmt::format("{}: {}\n", text_of(why, "answer"), text_of(why, "reason"));
  if (why.contains("until")) out += line("until", text_of(why, "until"));
  if (why.contains("route")) out += line("route", text_of(why, "route"));
  if (why.contains("key")) out += line("key", text_of(why, "key"));
  const Json stored = why.value("stored", Json::array());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const Json& object = stored[i];
    std::string text = fmt::format("{}, {}, {} old", text_of(object, "status"), bytes_text(number_of(object, "size")),
                                   time_text(number_of(object, "age")));
    if (object.contains("tier")) text += ", " + text_of(object, "tier");
    for (const auto& [name, value] : object.at("vary").items()) {
      text += fmt::format(", {}: {}", config::printable(name), config::printable(value.get<std::string>()));
    }
    const bool is_chosen = why.contains("chosen") && why.at("chosen") == i;
    out += line("stored", text + (is_chosen ? ": this one" : ""));
    // Of one alone it is the reason.
    if (const std::string misfit = text_of(object, "misfit"); !misfit.empty() && stored.size() > 1)
      out += line("", "not it: " + misfit);
  }
  for (const Json& note : why.value("notes", Json::array())) {
    out += line("note", config::printable(note.get<std::string>()));
  }
  return out;
}

}  // namespace rproxy::cli
