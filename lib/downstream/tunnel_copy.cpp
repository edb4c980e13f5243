#include "downstream/tunnel_copy.h"

namespace rproxy::downstream {

net::Task<void> TunnelCopy::run() {
  moved();
  net::Child<void> down(copy(upstream_, client_, to_client_));
  co_await copy(client_, upstream_, to_upstream_);
  co_await down.wait();
}

net::Task<void> TunnelCopy::copy(exchange::Tunnel& from, exchange::Tunnel& to, std::uint64_t& count) {
  for (;;) {
    auto bytes = co_await from.read();
    if (!bytes) break;
    if (bytes->empty()) {
      to.shutdown_write();
      co_return;
    }
    auto sent = co_await to.write(*bytes);
    if (!sent) break;
    count += bytes->size();
    moved();
  }
  end();
}

void TunnelCopy::give_up() {
  timed_out_ = true;
  end();
}

void TunnelCopy::end() {
  upstream_.abort();
  client_.abort();
}

}  // namespace rproxy::downstream
