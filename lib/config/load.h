// From a file to a Config, with every mistake found on the way.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/diagnostic.h"
#include "config/node.h"
#include "config/source.h"
#include "config/values.h"

namespace rproxy::config {

struct Loaded {
  Config config;                        // fit for use only when ok()
  std::vector<Diagnostic> diagnostics;  // errors and warnings, in file order
  std::shared_ptr<const Node> tree;     // what the files say; null where nothing could be read
  Sources sources;                      // the files
  bool ok() const;
};

Loaded load(const std::string& path, const Environment& environment = process_environment());
// A text by itself: no includes, no ${file:}.
Loaded load_text(const std::string& name, const std::string& text, const Environment& environment);

// A file of nothing but [[tests]].
struct LoadedTests {
  std::vector<RouteTest> tests;
  std::vector<Diagnostic> diagnostics;
  bool is_readable = false;
};
LoadedTests load_tests(const std::string& path, const Environment& environment = process_environment());

// The effective configuration as TOML, every default spelled out, each line with where its value comes from. What came out of the
// environment or a file is shown as ${...}; what a command's flag has set in config.server is named in `overrides`.
struct Override {
  std::string_view key;   // of [server]
  std::string_view flag;  // "--workers"
};
std::string render_effective(const Loaded& loaded, std::span<const Override> overrides = {});

// One key of the schema: "client.head_timeout", "upstreams.*.pool.max_idle".
struct KeyInfo {
  std::string path;
  std::string type;
  std::string fallback;  // the default as TOML; empty where there is none
  std::string meaning;
  std::optional<Bounds> bounds;    // of an integer, or of a size in bytes
  std::vector<std::string> words;  // all that a string may be; empty: anything
};
std::vector<KeyInfo> all_keys();

}  // namespace rproxy::config
