// All that answers requests by one generation on one worker: pools, routes, and what stands in front of them at each listener. A reload
// makes others and puts them in the place of these, which go when the last request that they have begun is over.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "downstream/users.h"
#include "exchange/exchange.h"
#include "files/file_server.h"
#include "filter/codecs.h"
#include "net/loop.h"
#include "net/tls_context.h"
#include "proxy/route_handler.h"
#include "server/generation.h"
#include "upstream/pool.h"

namespace rproxy::server {

class Handlers {
 public:
  // `loop` outlives them. What `previous` has of connections to upstreams that are still reached in the same way is shared with it.
  Handlers(net::Loop& loop, std::shared_ptr<const Generation> generation, std::uint64_t seed,
           const Handlers* previous = nullptr);
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;

  const Generation& generation() const { return *generation_; }
  // The first one of the requests that come by that listener of the configuration.
  exchange::Handler& at(std::size_t listener) const;
  downstream::Users& users() { return users_; }

  // Called about once a second.
  void sweep(TimePoint now);
  void close_idle();
  // Others have taken the place of these.
  void retire();

 private:
  // Connections to one upstream.
  struct Supply {
    std::shared_ptr<net::TlsClientContext> tls;  // null: plain
    std::unique_ptr<upstream::Pool> pool;
  };

  exchange::Handler& behind_challenges(std::size_t listener) const;
  void build_pools(std::uint64_t seed, const Handlers* previous);
  const Supply* find(const upstream::Upstream& upstream, const TlsMaterial& tls) const;
  void build_routes(std::uint64_t seed);
  std::unique_ptr<exchange::Handler> make_chain(const config::Route& route, std::size_t index, std::uint64_t seed);

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  std::vector<Supply> supplies_;                                // as the upstreams
  std::vector<std::unique_ptr<exchange::Handler>> explainers_;  // as the listeners; none where nobody may ask
  std::vector<std::unique_ptr<exchange::Handler>> redirects_;   // as the listeners; null where the root is asked
  std::vector<std::unique_ptr<exchange::Handler>>
      challenges_;  // as the listeners; none where no certificates are issued
  downstream::Users users_;
  std::shared_ptr<filter::Codecs> codecs_;
  std::vector<files::FileServer*> file_servers_;  // of the root's
  std::unique_ptr<proxy::RouteHandler> root_;     // goes first: mirrored requests and fetches use connections
};

}  // namespace rproxy::server
