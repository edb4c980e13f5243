#include "upstream/client.h"

#include <utility>

#include "net/websocket.h"
#include "upstream/http1_exchange.h"
#include "upstream/http2_exchange.h"
#include "upstream/http2_tunnel.h"

namespace rproxy::upstream {

using exchange::Request;
using exchange::Response;

namespace {

net::Task<Result<Response>> send_http1(Request& request, Lease lease, const Options& options, Duration total) {
  auto exchange = std::make_unique<Http1Exchange>(request, std::move(lease), options, total);
  Response response;
  if (auto done = co_await exchange->run(response.head); !done) co_return fail(std::move(done.error()));
  if (response.head.status == 101) {
    response.tunnel = std::move(*exchange).into_tunnel();
  } else {
    response.body = std::move(exchange);
  }
  co_return response;
}

// Said as HTTP/1.1 does: with the proof that the key was understood (RFC 6455 4.2.2).
void switch_protocols(http::ResponseHead& head, const Request& request) {
  head.status = 101;
  head.body = {};
  head.fields.set(http::FieldId::kUpgrade, "websocket");
  head.fields.set(http::FieldId::kSecWebsocketAccept,
                  net::websocket_accept(request.head.fields.get(http::FieldId::kSecWebsocketKey), *request.arena));
}

net::Task<Result<Response>> send_http2(Request& request, Lease lease, const Options& options, Duration total) {
  auto exchange = std::make_unique<Http2Exchange>(request, std::move(lease), options, total);
  Response response;
  if (auto done = co_await exchange->run(response.head); !done) co_return fail(std::move(done.error()));
  if (request.head.upgrade && response.head.status < 300) {
    switch_protocols(response.head, request);
    exchange->be_tunnel();
    response.tunnel = std::make_unique<Http2Tunnel>(std::move(exchange));
  } else {
    response.body = std::move(exchange);
  }
  co_return response;
}

}  // namespace

net::Task<Result<Response>> send(Request& request, Lease lease, const Options& options, Duration total) {
  return lease.link() != nullptr ? send_http2(request, std::move(lease), options, total)
                                 : send_http1(request, std::move(lease), options, total);
}

}  // namespace rproxy::upstream
