// What is in a cache, for people. All of it is JSON as the admin endpoint gives it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace rproxy::cli {

std::string cache_stats_table(const nlohmann::ordered_json& stats);
// With how many there are beyond those listed.
std::string cache_list_table(const nlohmann::ordered_json& list);
// One after the other, all that is known of them.
std::string cache_objects_text(const nlohmann::ordered_json& shown);

}  // namespace rproxy::cli
