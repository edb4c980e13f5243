#include "server/buffer_size.h"

#include <algorithm>

namespace rproxy::server {

std::size_t buffer_size(const config::Config& config) {
  std::uint64_t head = config.client.head.head.bytes;
  for (const auto& upstream : config.upstreams) head = std::max(head, upstream.head.head.bytes);
  head = std::max(head, config.client.max_proxy_header.bytes);
  return static_cast<std::size_t>(head + kContentRoom);
}

}  // namespace rproxy::server
