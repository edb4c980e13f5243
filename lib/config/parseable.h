// What the TOML parser must not be given: bytes that are no text, and what would break it or exhaust its stack.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/node.h"

namespace rproxy::config {

// False with the first such place as an RP1001.
bool is_parseable(const std::shared_ptr<const SourceFile>& file, std::string_view text,
                  std::vector<Diagnostic>& diagnostics);

// An RP1001 that marks one character.
void report_syntax(const std::shared_ptr<const SourceFile>& file, Location at, std::string message, std::string remedy,
                   std::vector<Diagnostic>& diagnostics);

}  // namespace rproxy::config
