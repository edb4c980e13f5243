// What cache-inspect was asked, for the files that answer it: each an action or a few.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "cache/filter.h"
#include "cache/purge.h"

namespace rproxy::cli {

struct CacheQuestion {
  std::string action;
  std::string target;  // URL, key, or of import the file
  std::string socket;
  std::string directory;
  bool is_json = false;
  bool is_ndjson = false;
  cache::Filter filter;
  bool has_filter = false;
  std::string sort;
  std::optional<std::uint64_t> limit;
  std::vector<std::string> headers;  // "Accept: image/png"
  std::string output;
  std::string by;
  std::optional<std::uint64_t> depth;
  bool is_repair = false;
  std::string prefix;
  std::string group;
  bool is_all = false;
  bool is_soft = false;
  std::optional<Duration> interval;
  std::optional<std::uint64_t> count;
  bool no_progress = false;
};

// Exit codes, with what is said to the user.
int refuse_cache_inspect(const std::string& what);
int fail_cache_inspect(const std::string& what);

// Of the running proxy.
int inspect_attached(const CacheQuestion& question);
// Of a directory.
int inspect_directory(const CacheQuestion& question);
// Both, one after the other.
int inspect_both(const CacheQuestion& question);

}  // namespace rproxy::cli
