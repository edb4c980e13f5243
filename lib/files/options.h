// What an operator chooses about files that are served from a directory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "http/content_coding.h"
#include "route/rewrite.h"

namespace rproxy::files {

// kBeneath: followed as long as they stay below the root; absolute ones do not. kFollow: wherever they lead.
enum class Symlinks : std::uint8_t { kBeneath, kFollow, kRefuse };

struct Options {
  std::string root;
  std::vector<std::string> index{"index.html"};  // of a directory, the first one there is
  std::string fallback;                          // "/index.html", in place of what is not there; empty: 404
  bool autoindex = false;                        // list directories without an index
  std::vector<http::Coding> precompressed;       // ".zst", ".br", ".gz" beside a file, the preferred first
  std::string cache_control;                     // of files; empty: none
  bool hidden = false;                           // what begins with a dot is served, too
  Symlinks symlinks = Symlinks::kBeneath;
  std::vector<std::pair<std::string, std::string>> types;  // {".x", "text/x"}, before those that are known
  route::RewriteOptions rewrite;                           // of the path, before it is looked for
  bool operator==(const Options&) const = default;
};

}  // namespace rproxy::files
