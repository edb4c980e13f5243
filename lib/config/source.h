// Files to one tree: reading, ${...} and include.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/node.h"
#include "config/problems.h"
#include "config/sources.h"

namespace rproxy::config {

// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

// The file with everything it includes, merged; nothing where the file itself could not be read or parsed. `sources` takes what was read,
// or would have been.
std::optional<Node> read_tree(const std::string& path, const Environment& environment, Problems& problems,
                              Sources* sources = nullptr);
// The same from a text that includes nothing and reads no files.
std::optional<Node> read_text(const std::string& name, const std::string& text, const Environment& environment,
                              Problems& problems);

// `path` as a file of `at`'s directory.
std::string resolve_path(const Place& at, const std::string& path);

}  // namespace rproxy::config
