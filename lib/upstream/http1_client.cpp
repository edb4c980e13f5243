#include "upstream/http1_client.h"

#include <utility>

#include "upstream/http1_exchange.h"

namespace rproxy::upstream {

net::Task<Result<exchange::Response>> send(exchange::Request& request, Lease lease, const Options& options,
                                           Duration total) {
  auto exchange = std::make_unique<Http1Exchange>(request, std::move(lease), options, total);
  exchange::Response response;
  if (auto done = co_await exchange->run(response.head); !done) co_return fail(std::move(done.error()));
  if (response.head.status == 101) {
    response.tunnel = std::move(*exchange).into_tunnel();
  } else {
    response.body = std::move(exchange);
  }
  co_return response;
}

}  // namespace rproxy::upstream
