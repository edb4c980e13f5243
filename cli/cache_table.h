// What is in a cache, for people. All of it is JSON as the admin endpoint gives it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rproxy::cli {

std::string bytes_text(std::int64_t bytes);   // "2.9 KiB"
std::string time_text(std::int64_t seconds);  // "2d3h", two units at most

std::string cache_stats_table(const nlohmann::ordered_json& stats);
// Of a directory: all of its numbers.
std::string cache_directory_table(const nlohmann::ordered_json& stats, std::size_t width);
// Lines of a tally: size, number, share of `bytes`, name.
std::string cache_count_table(const nlohmann::ordered_json& lines, std::uint64_t bytes, std::size_t width);
// A line of a list and the one above it; on a terminal so many columns wide URLs are cut.
std::string cache_list_head(bool has_hits);
std::string cache_list_line(const nlohmann::ordered_json& object, std::size_t width);
// With how many there are beyond those listed.
std::string cache_list_table(const nlohmann::ordered_json& list, std::size_t width);
// One after the other, all that is known of them.
std::string cache_objects_text(const nlohmann::ordered_json& shown);

// Whether a request is a hit, and why.
std::string cache_why_text(const nlohmann::ordered_json& why);
// Those that were given most often, with how often in a second since the last round.
std::string cache_top_table(const nlohmann::ordered_json& list, const std::vector<double>& rates, std::size_t width);

}  // namespace rproxy::cli
