#include "server/restart_keys.h"

#include <fmt/format.h>

#include <utility>

#include "server/buffer_size.h"

namespace rproxy::server {
namespace {

template <typename T>
void keep(std::vector<std::string>& out, std::string_view key, T& chosen, const T& running) {
  if (chosen == running) return;
  out.push_back(fmt::format("a change of {} needs a restart; until then it stays as it is", key));
  chosen = running;
}

void limit(std::vector<std::string>& out, std::string_view key, ByteSize& chosen, std::size_t buffer) {
  const ByteSize most{buffer - kContentRoom};
  if (chosen.bytes <= most.bytes) return;
  out.push_back(fmt::format("{} = {} needs a restart, for buffers as large; until then it is {}", key,
                            to_string(chosen), to_string(most)));
  chosen = most;
}

}  // namespace

std::vector<std::string> keep_until_restart(config::Config& next, const config::Config& running, std::size_t buffer) {
  std::vector<std::string> out;
  if (next.server.workers != running.server.workers) {
    out.push_back(fmt::format("server.workers = {} needs a restart; until then it is {}", next.server.workers,
                              running.server.workers));
    next.server.workers = running.server.workers;
  }
  keep(out, "admin.socket", next.admin.socket, running.admin.socket);
  keep(out, "admin.listen", next.admin.listen, running.admin.listen);
  limit(out, "client.max_head", next.client.head.head, buffer);
  limit(out, "client.max_proxy_header", next.client.max_proxy_header, buffer);
  for (auto& upstream : next.upstreams) {
    limit(out, fmt::format("upstreams.{}.max_head", upstream.name), upstream.head.head, buffer);
  }
  return out;
}

}  // namespace rproxy::server
