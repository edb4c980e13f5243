// After a 101 the connection is one end of a tunnel.

#include "downstream/http1_exchange.h"
#include "downstream/tunnel_copy.h"
#include "exchange/stream_tunnel.h"

namespace rproxy::downstream {

net::Task<bool> Http1Exchange::run_tunnel(exchange::Response response) {
  const auto head = serialize(response, {}, false, false);
  auto sent = co_await stream->write(head);
  if (!sent) co_return end(sent.error());
  outcome.bytes_sent += *sent;
  mark_first_byte();
  stream->set_read_timeout(Duration{0});
  // The request's last slice is still unread input, and not the tunnel's.
  if (body.content() != nullptr) body.content()->finish();
  exchange::StreamTunnel client_end(*stream);
  TunnelCopy copy(client_end, *response.tunnel, context.loop, context.options.tunnel_timeout);
  co_await copy.run();
  outcome.bytes_sent += copy.bytes_to_client();
  outcome.body_bytes_sent = copy.bytes_to_client();
  outcome.bytes_received += copy.bytes_to_upstream();
  record(copy.has_timed_out() ? "tunnel_timeout" : "ok");
  co_return false;
}

}  // namespace rproxy::downstream
