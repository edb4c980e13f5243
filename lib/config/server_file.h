// A watched file that lists servers: TOML where its name says so, else a server a line.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "upstream/server_list.h"

namespace rproxy::config {

// TOML: `servers = [...]` as an upstream has it, of addresses alone. Errors: kFile, with "PATH:LINE: reason".
Result<upstream::ServerList> parse_server_file(const std::string& path, std::string_view text);

}  // namespace rproxy::config
