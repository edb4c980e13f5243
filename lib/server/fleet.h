// The workers, and what they share: listening sockets, the access log, the count of connections.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"
#include "proxy/access_log.h"
#include "server/generation.h"
#include "server/listener_plan.h"
#include "server/sockets.h"
#include "server/worker.h"

namespace rproxy::server {

class Fleet {
 public:
  // `on_worker_end` is called from each worker's thread.
  explicit Fleet(std::function<void()> on_worker_end) : on_worker_end_(std::move(on_worker_end)) {}

  // Opens sockets and the access log and starts the workers. `before_start` is called when nothing can fail any more.
  // Errors: kCannotBind, kFile, kConfig, kResolveFailed (of a log's host).
  Result<void> start(std::shared_ptr<const Generation> generation, const std::function<void()>& before_start);
  // The same for the next configuration while the first is served: all of it is taken by all workers, or nothing has changed.
  Result<void> change(std::shared_ptr<const Generation> generation);

  std::size_t size() const { return workers_.size(); }
  unsigned running() const { return running_; }
  const ConnectionCount& connections() const { return connections_; }
  void reopen_log();

  // No new connections; what is under way goes on.
  void drain();
  // Ends what is left.
  void stop();

 private:
  // What is made ready before anything is changed.
  struct Plan {
    std::vector<LiveListener> listeners;   // as the configuration's
    std::vector<std::vector<Fd>> sockets;  // of those that are new, one for each worker
    std::vector<LiveListener> leaving;
    std::shared_ptr<proxy::AccessLogWriter> log;
  };

  Result<Plan> plan(const config::Config& config, unsigned workers);
  Result<void> plan_log(const config::Config& config, Plan& plan);
  Result<void> plan_listeners(const config::Config& config, unsigned workers, Plan& plan);
  // `plan`'s sockets go into the offer.
  Worker::Offer make_offer(const std::shared_ptr<const Generation>& generation, Plan& plan, std::size_t worker);
  void settle(Plan plan);
  void limit_connections(const config::Config& config);

  std::function<void()> on_worker_end_;
  std::uint64_t descriptors_ = 0;
  ConnectionCount connections_;
  std::shared_ptr<proxy::AccessLogWriter> log_;  // null: none
  std::vector<LiveListener> live_;
  std::size_t doors_made_ = 0;
  std::random_device random_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<unsigned> running_{0};
};

}  // namespace rproxy::server
