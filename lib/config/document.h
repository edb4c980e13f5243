// TOML text to Nodes: the only place that knows the TOML library.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/node.h"

namespace rproxy::config {

// A table; nothing, and an RP1001 in `diagnostics`, where the text is not TOML.
std::optional<Node> parse_document(std::shared_ptr<const SourceFile> file, const std::string& text,
                                   std::vector<Diagnostic>& diagnostics);

}  // namespace rproxy::config
