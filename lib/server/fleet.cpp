#include "server/fleet.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <latch>
#include <utility>
#include <variant>

#include "base/log.h"
#include "files/shared.h"

namespace rproxy::server {
namespace {

// Descriptors for listeners, logs, epoll and the like.
constexpr std::uint64_t kReservedDescriptors = 64;

unsigned usable_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

bool serves_files(const config::Config& config) {
  return std::ranges::any_of(
      config.routes, [](const config::Route& route) { return std::holds_alternative<files::Options>(route.action); });
}

bool is_unix(const LiveListener& live) { return live.bound.kind == HostPort::Kind::kUnix; }

void warn_of_kept_socket(const LiveListener& live, const net::ListenOptions& wanted) {
  for (const auto& key : keys_of_socket(live.listener.listen, wanted)) {
    log::warn("{} of the listener on {} needs a restart; until then it stays as it is", key, live.bound.to_string());
  }
}

}  // namespace

void Fleet::limit_connections(const config::Config& config) {
  const std::uint64_t held = serves_files(config) ? files::Shared::held_of(descriptors_) : 0;
  const std::uint64_t left = descriptors_ - held;
  // Each client connection may need one to an upstream, or for a file.
  const std::uint64_t possible = (left - std::min(kReservedDescriptors, left / 2)) / 2;
  const std::uint64_t chosen = config.server.max_connections;
  connections_.max = chosen == 0 ? possible : chosen;
  if (chosen > possible) {
    log::warn(
        "max_connections = {} needs about {} descriptors, but the limit is {}: raise it with ulimit -n or LimitNOFILE=",
        chosen, chosen * 2 + kReservedDescriptors, descriptors_);
  }
}

Result<void> Fleet::plan_listeners(const config::Config& config, unsigned workers, Plan& plan) {
  const auto matches = match_listeners(config.listeners, live_);
  plan.leaving = live_;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const config::Listener& wanted = config.listeners[i];
    if (matches[i]) {
      const LiveListener& live = live_[*matches[i]];
      plan.listeners.push_back({live.door, wanted, live.bound});
      plan.sockets.emplace_back();
      std::erase_if(plan.leaving, [&](const LiveListener& each) { return each.door == live.door; });
      continue;
    }
    // Where a narrower or wider address of ours has the port, the kernel would take that for somebody else's.
    const bool is_ours = std::ranges::any_of(live_, [&](const LiveListener& live) {
      return !is_unix(live) && live.bound.port == wanted.listen.address.port;
    });
    auto opened = open_sockets(wanted.listen, workers, is_ours);
    if (!opened) return fail(std::move(opened.error()));
    plan.listeners.push_back({++doors_made_, wanted, opened->bound});
    plan.sockets.push_back(std::move(opened->sockets));
  }
  return {};
}

Result<void> Fleet::plan_log(const config::Config& config, Plan& plan) {
  if (config.access_log.target == proxy::AccessLogOptions::Target::kOff) return {};
  plan.log = log_;
  if (log_ != nullptr && log_->options() == config.access_log) return {};
  auto writer = proxy::AccessLogWriter::open(config.access_log);
  if (!writer) return fail(std::move(writer.error()));
  plan.log = std::move(*writer);
  return {};
}

Result<Fleet::Plan> Fleet::plan(const config::Config& config, unsigned workers) {
  Plan plan;
  auto done = plan_listeners(config, workers, plan);
  if (done) done = plan_log(config, plan);
  if (done) return plan;
  // The sockets close by themselves, but the paths of new ones would stay.
  for (std::size_t i = 0; i < plan.sockets.size(); ++i) {
    if (!plan.sockets[i].empty() && is_unix(plan.listeners[i])) ::unlink(plan.listeners[i].bound.host.c_str());
  }
  return fail(std::move(done.error()));
}

Worker::Offer Fleet::make_offer(const std::shared_ptr<const Generation>& generation, Plan& plan, std::size_t worker) {
  Worker::Offer offer;
  offer.generation = generation;
  offer.log = plan.log;
  offer.seed = random_();
  offer.worker = worker;
  const auto& listeners = generation->config().listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    Worker::Offer::Listener listener;
    listener.door = plan.listeners[i].door;
    if (!plan.sockets[i].empty()) listener.socket = std::move(plan.sockets[i][worker]);
    if (listeners[i].tls) listener.tls = generation->tls().server_context(i);
    offer.listeners.push_back(std::move(listener));
  }
  return offer;
}

// Each worker has what was planned.
void Fleet::settle(Plan plan) {
  for (std::size_t i = 0; i < plan.listeners.size(); ++i) {
    const LiveListener& live = plan.listeners[i];
    const auto before = std::ranges::find(live_, live.door, &LiveListener::door);
    if (before == live_.end()) {
      log::info("serving on {} ({})", live.bound.to_string(), live.listener.tls ? "https" : "http");
    } else {
      warn_of_kept_socket(*before, live.listener.listen);
      // What the socket is, and not what was asked for, is compared with the next configuration.
      const HostPort asked = live.listener.listen.address;
      plan.listeners[i].listener.listen = before->listener.listen;
      plan.listeners[i].listener.listen.address = asked;
    }
  }
  for (const LiveListener& live : plan.leaving) {
    if (is_unix(live)) ::unlink(live.bound.host.c_str());
    log::info("no longer serving on {}; its connections end with what is under way", live.bound.to_string());
  }
  live_ = std::move(plan.listeners);
  log_ = std::move(plan.log);
}

Result<void> Fleet::start(std::shared_ptr<const Generation> generation, const std::function<void()>& before_start) {
  const config::Config& config = generation->config();
  descriptors_ = raise_descriptor_limit();
  const unsigned count = config.server.workers != 0 ? config.server.workers : usable_cpus();
  auto made = plan(config, count);
  if (!made) return fail(std::move(made.error()));
  limit_connections(config);
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(make_offer(generation, *made, i), connections_));
  }
  before_start();
  running_ = count;
  for (auto& worker : workers_) {
    worker->start([this] {
      running_.fetch_sub(1);
      on_worker_end_();
    });
  }
  settle(std::move(*made));
  log::info("ready: {} worker{}, at most {} connections", count, count == 1 ? "" : "s", connections_.max.load());
  return {};
}

Result<void> Fleet::change(std::shared_ptr<const Generation> generation) {
  auto made = plan(generation->config(), static_cast<unsigned>(workers_.size()));
  if (!made) return fail(std::move(made.error()));
  std::vector<Worker::Offer> offers;
  for (std::size_t i = 0; i < workers_.size(); ++i) offers.push_back(make_offer(generation, *made, i));
  std::latch taken(static_cast<std::ptrdiff_t>(workers_.size()));
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->take(std::move(offers[i]), [&taken] { taken.count_down(); });
  }
  taken.wait();
  settle(std::move(*made));
  limit_connections(generation->config());
  return {};
}

void Fleet::reopen_log() {
  if (log_) log_->reopen();
}

void Fleet::drain() {
  // Now, and not at the end: by then a successor may have made others.
  for (const LiveListener& live : live_) {
    if (is_unix(live)) ::unlink(live.bound.host.c_str());
  }
  for (auto& worker : workers_) worker->drain();
}

void Fleet::stop() {
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
  workers_.clear();
  log_.reset();
}

}  // namespace rproxy::server
