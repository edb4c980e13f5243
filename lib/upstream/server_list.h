// A list of servers as a file has it: one a line, "10.0.0.1:8001 weight=2 priority=1 max_connections=100", or "... backup", what follows a # left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/endpoint.h"
#include "base/result.h"

namespace rproxy::upstream {

constexpr std::uint32_t kWeightMax = 1000;
constexpr std::size_t kListedServersMax = 10'000;

using ServerList = std::vector<balance::EndpointOptions>;
// Errors: kFile, with "PATH:LINE: reason".
using ParseServerList = std::function<Result<ServerList>(const std::string& path, std::string_view text)>;

// A text without servers is an error, and so is one whose last line has no end: such a file is still being written.
Result<ServerList> parse_server_list(const std::string& path, std::string_view text);

}  // namespace rproxy::upstream
