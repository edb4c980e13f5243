// The parts of a Config out of a whole tree. Each reports what is wrong with its own part, and nothing that follows from it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/key.h"

namespace rproxy::config {

const std::vector<std::string>& top_level_keys();

void build_listeners(const Node& tree, Config& config, Problems& problems);
// Whether the kernel would refuse the second. Port 0 is another one each time.
bool do_overlap(const net::ListenOptions& a, const net::ListenOptions& b);
// After the listeners.
void build_admin(const Node& tree, Config& config, Problems& problems);
// The place of each by its name.
std::map<std::string, Place> build_upstreams(const Node& tree, Config& config, Problems& problems);
void build_tests(const Node& tree, std::vector<RouteTest>& tests, Problems& problems);
void build_routes(const Node& tree, const std::map<std::string, Place>& upstreams, Config& config, Problems& problems);

// What a table of the top level says, where it is there.
template <typename T>
void build_section(const Node& tree, std::string_view name, Keys<T> keys, T& out, Problems& problems) {
  if (const Node* node = tree.find(name)) decode_table<T>(problems, *node, "[" + std::string(name) + "]", keys, out);
}

// "line 5", or with its file where that is another than `from`'s.
std::string line_of(const Place& place, const Place& from);

}  // namespace rproxy::config
