#include "exchange/stream_tunnel.h"

#include <utility>

namespace rproxy::exchange {

net::Task<Result<std::string_view>> StreamTunnel::read() {
  stream_.consume(std::exchange(given_, 0));
  // Bytes that came before anybody waited may have gone with the head: only 0 is the end.
  while (stream_.input().empty()) {
    auto filled = co_await stream_.fill();
    if (!filled) co_return fail(std::move(filled.error()));
    if (*filled == 0) break;
  }
  given_ = stream_.input().size();
  co_return stream_.input();
}

net::Task<Result<void>> StreamTunnel::write(std::string_view bytes) {
  auto sent = co_await stream_.write(bytes);
  if (!sent) co_return fail(std::move(sent.error()));
  co_return Result<void>();
}

}  // namespace rproxy::exchange
