#include "exchange/http2_tunnel.h"

#include <utility>

namespace rproxy::exchange {

net::Task<Result<std::string_view>> Http2Tunnel::read() {
  for (;;) {
    if (ended_) co_return std::string_view();
    auto slice = co_await stream_.read();
    if (!slice) co_return fail(std::move(slice.error()));
    ended_ = slice->last;
    if (!slice->data.empty()) co_return slice->data;
  }
}

}  // namespace rproxy::exchange
