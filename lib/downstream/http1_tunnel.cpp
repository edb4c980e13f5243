// After a 101 the connection belongs to another protocol: bytes go both ways until both sides have ended, or nothing moved for too long.

#include "downstream/http1_exchange.h"

namespace rproxy::downstream {
namespace {

using exchange::Tunnel;

// One tunnel's two directions and the silence that ends them.
struct Copy {
  net::Stream& client;
  Tunnel& upstream;
  Duration timeout;
  std::uint64_t to_client = 0;
  std::uint64_t to_upstream = 0;
  bool timed_out = false;
  net::Deadline silence{[](void* self) { static_cast<Copy*>(self)->give_up(); }, this};

  void moved() { silence.arm(client.loop().wheel(), timeout); }

  void give_up() {
    timed_out = true;
    end();
  }
  void end() {
    upstream.abort();
    client.abort(false);
  }

  net::Task<void> down() {
    for (;;) {
      auto bytes = co_await upstream.read();
      if (!bytes) break;
      if (bytes->empty()) {
        client.shutdown_write();
        co_return;
      }
      auto sent = co_await client.write(*bytes);
      if (!sent) break;
      to_client += *sent;
      moved();
    }
    end();
  }

  net::Task<void> up() {
    for (;;) {
      if (client.input().empty()) {
        auto filled = co_await client.fill();
        if (!filled) break;
        if (*filled == 0) {
          upstream.shutdown_write();
          co_return;
        }
      }
      const auto bytes = client.input();
      auto sent = co_await upstream.write(bytes);
      if (!sent) break;
      client.consume(bytes.size());
      to_upstream += bytes.size();
      moved();
    }
    end();
  }
};

}  // namespace

net::Task<bool> Http1Exchange::run_tunnel(exchange::Response response) {
  const auto head = serialize(response, {}, false, false);
  auto sent = co_await stream->write(head);
  if (!sent) co_return end(sent.error());
  outcome.bytes_sent += *sent;
  mark_first_byte();
  stream->set_read_timeout(Duration{0});
  // The request's last slice is still unread input, and not the tunnel's.
  if (body.content() != nullptr) body.content()->finish();
  Copy copy{*stream, *response.tunnel, context.options.tunnel_timeout};
  copy.moved();
  {
    net::Child<void> down(copy.down());
    co_await copy.up();
    co_await down.wait();
  }
  outcome.bytes_sent += copy.to_client;
  outcome.body_bytes_sent = copy.to_client;
  outcome.bytes_received += copy.to_upstream;
  record(copy.timed_out ? "tunnel_timeout" : "ok");
  co_return false;
}

}  // namespace rproxy::downstream
