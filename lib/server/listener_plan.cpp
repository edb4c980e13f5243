#include "server/listener_plan.h"

#include <algorithm>

namespace rproxy::server {
namespace {

bool is_at(const LiveListener& live, const HostPort& address) {
  return live.listener.listen.address == address || live.bound == address;
}

}  // namespace

std::vector<std::optional<std::size_t>> match_listeners(const std::vector<config::Listener>& wanted,
                                                        const std::vector<LiveListener>& live) {
  std::vector<std::optional<std::size_t>> out(wanted.size());
  std::vector<bool> taken(live.size());
  for (const bool by_name : {true, false}) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (std::size_t k = 0; k < live.size() && !out[i]; ++k) {
        if (taken[k] || !is_at(live[k], wanted[i].listen.address)) continue;
        if (by_name && live[k].listener.name != wanted[i].name) continue;
        out[i] = k;
        taken[k] = true;
      }
    }
  }
  return out;
}

std::vector<std::string> keys_of_socket(const net::ListenOptions& live, const net::ListenOptions& wanted) {
  std::vector<std::string> keys;
  if (live.backlog != wanted.backlog) keys.emplace_back("backlog");
  if (live.defer_accept != wanted.defer_accept) keys.emplace_back("defer_accept");
  if (live.v6_only != wanted.v6_only) keys.emplace_back("v6_only");
  if (live.unix_mode != wanted.unix_mode) keys.emplace_back("unix_mode");
  return keys;
}

}  // namespace rproxy::server
