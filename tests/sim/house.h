// The proxy as a worker builds it, with a simulated network in place of the sockets, and one run of a scenario through it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "downstream/http1_server.h"
#include "net/task_group.h"
#include "proxy/cached_proxy.h"
#include "proxy/proxy.h"
#include "proxy/route_handler.h"
#include "route/router.h"
#include "sim/peers.h"
#include "sim/scenario.h"
#include "sim/world.h"
#include "upstream/pool.h"

namespace rproxy::sim {

// What clients speak. With TLS, the origins do so too, and by the last two they speak HTTP/2.
enum class Speech : std::uint8_t { kHttp1, kHttp1Tls, kHttp2, kHttp2Upstream, kHttp2Both };

class House final : public exchange::Observer {
 public:
  // One client for each scenario, all at once.
  House(std::vector<Scenario> scenarios, const WorldOptions& options, Speech speech = Speech::kHttp1);
  House(const Scenario& scenario, const WorldOptions& options, Speech speech = Speech::kHttp1)
      : House(std::vector{scenario}, options, speech) {}
  House(const House&) = delete;
  House& operator=(const House&) = delete;
  ~House() { tasks_.cancel_all(); }

  // Until the clients' connections have ended and nothing more happens, or for `steps_max` steps. False where that took longer than any
  // timeout allows.
  bool run(std::size_t steps_max = ~std::size_t{0});
  bool is_over() const { return tasks_.size() == 0; }
  // What a worker does with its connections when it goes at once, or in order.
  void cancel() {
    was_cancelled_ = true;
    tasks_.cancel_all();
  }
  void drain();

  // Adds a failure for each thing that must be so however the run went: nothing is held, no answer is wrong, none is doubled.
  void check_invariants();
  // That all requests got the answers that their scenario expects.
  void check_expected() const;
  // The network has failed where every request may be sent again.
  bool may_try_again() const;
  // Different requests that an origin has begun to get; that at least so many of the first client's were answered.
  std::size_t begun() const { return origin_.heads().size(); }
  void check_answered(std::size_t count) const;

  World& world() { return world_; }
  // After cancel(): nothing is asked any more.
  void drop_pool() {
    // Copies are the routes', and use connections.
    root_.reset();
    pool_.reset();
    shadow_pool_.reset();
  }
  // What the first client got and what the origins got, comparable between runs.
  std::string client_view() const;
  std::string origin_view() const;

 private:
  void finished(const exchange::Request&, const exchange::Outcome&) override { ++finished_; }
  net::Task<Result<net::StreamPtr>> connect(Origin& origin, Duration timeout);
  std::unique_ptr<upstream::Pool> make_pool(const std::shared_ptr<upstream::Upstream>& upstream, Origin& origin);
  std::unique_ptr<exchange::Handler> make_proxy();
  std::size_t idle_count() const { return pool_->idle_count() + shadow_pool_->idle_count(); }
  void serve(Client& client);
  net::Task<void> serve_tls(net::StreamPtr stream, exchange::Client from);
  bool has_tunnel() const;
  void check_answers(const Client& client) const;
  static void check_expected(const Client& client, bool is_end_certain);
  bool may_be_cut_unseen(const Scenario& scenario, const Expected& expected) const;
  void check_requests() const;
  void check_resources();
  void check_kept_connections();

  std::unique_ptr<Client> make_client(const Scenario& scenario);
  bool has_cache() const { return std::ranges::any_of(scenarios_, &Scenario::caches); }
  bool has_mirror() const { return std::ranges::any_of(scenarios_, &Scenario::mirrors); }
  bool is_http2() const { return speech_ == Speech::kHttp2 || speech_ == Speech::kHttp2Both; }
  bool is_http2_upstream() const { return speech_ == Speech::kHttp2Upstream || speech_ == Speech::kHttp2Both; }
  // A copy waits for room, which nobody waits for but itself.
  bool is_waited_for() const {
    return upstream_->capacity().queue.waiting() != 0 || shadow_->capacity().queue.waiting() != 0 ||
           upstream_->capacity().queue.is_promised() || shadow_->capacity().queue.is_promised();
  }
  // Until no connection is under way: one that others may want goes on without who asked for it.
  void settle() {
    run_while([this] { return world_.streams != idle_count() || is_waited_for(); });
  }
  // Until all that was kept has been closed.
  void run_out() {
    run_while([this] { return world_.streams > 0; });
  }
  void run_while(const std::function<bool()>& is_busy);

  const std::vector<Scenario> scenarios_;
  std::uint64_t seed_;
  Speech speech_;
  TlsParts* tls_;  // null: all is plain
  net::Loop loop_;
  World world_;
  upstream::Options upstream_options_;
  proxy::ForwardingOptions forwarding_;
  downstream::Options client_options_;
  proxy::Proxy::Plan plan_;
  net::TicketKeys tickets_;
  std::unique_ptr<net::TlsServerContext> tls_server_;
  std::shared_ptr<net::TlsClientContext> tls_client_;
  std::shared_ptr<upstream::Upstream> upstream_;
  Origin origin_;  // behind every endpoint
  std::unique_ptr<upstream::Pool> pool_;
  std::shared_ptr<upstream::Upstream> shadow_;
  Origin shadow_origin_;  // behind the mirror
  std::unique_ptr<upstream::Pool> shadow_pool_;
  proxy::CacheOptions cache_options_;
  storage::Cache cache_{storage::Options{}};
  downstream::Users users_;
  std::optional<route::Router> router_;
  std::optional<proxy::RouteHandler> root_;
  std::optional<downstream::Context> context_;
  std::vector<std::unique_ptr<Client>> clients_;
  net::TaskGroup tasks_;
  std::size_t finished_ = 0;
  bool was_cancelled_ = false;
};

}  // namespace rproxy::sim
