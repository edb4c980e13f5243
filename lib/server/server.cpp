#include "server/server.h"

#include <sched.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "base/log.h"
#include "proxy/access_log.h"
#include "server/control.h"
#include "server/discoveries.h"
#include "server/generation.h"
#include "server/sockets.h"
#include "server/worker.h"

namespace rproxy::server {
namespace {

// Descriptors for listeners, logs, epoll and the like.
constexpr std::uint64_t kReservedDescriptors = 64;

unsigned usable_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

// Signals are taken by the main thread alone, one at a time, outside any handler.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGHUP, kWorkerEnded}) sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  // The next signal, or nothing at the deadline.
  std::optional<int> wait(std::optional<TimePoint> deadline) {
    if (!deadline) {
      int signal = 0;
      return ::sigwait(&set_, &signal) == 0 ? std::optional(signal) : std::nullopt;
    }
    const auto left = std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds(*deadline - Clock::now()));
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{seconds.count(), (left - seconds).count()};
    const int signal = ::sigtimedwait(&set_, nullptr, &timeout);
    return signal > 0 ? std::optional(signal) : std::nullopt;
  }

  // Sent to ourselves when a worker has ended.
  static constexpr int kWorkerEnded = SIGUSR2;

 private:
  sigset_t set_;
};

class Server {
 public:
  explicit Server(std::shared_ptr<const Generation> generation)
      : generation_(std::move(generation)), control_(buffer_size(config())) {}

  Result<void> start();
  void wait_for_end();

 private:
  const config::Config& config() const { return generation_->config(); }
  void limit_connections(std::uint64_t descriptors);
  void drain();

  std::shared_ptr<const Generation> generation_;
  Signals signals_;
  ConnectionCount connections_;
  std::unique_ptr<proxy::AccessLogWriter> log_;
  Control control_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<unsigned> running_{0};
  std::vector<std::string> unix_paths_;
};

void Server::limit_connections(std::uint64_t descriptors) {
  // Each client connection may need one to an upstream.
  const std::uint64_t possible = (descriptors - std::min(kReservedDescriptors, descriptors / 2)) / 2;
  connections_.max = config().server.max_connections;
  if (connections_.max == 0) connections_.max = possible;
  if (connections_.max > possible) {
    log::warn(
        "max_connections = {} needs about {} descriptors, but the limit is {}: raise it with ulimit -n or LimitNOFILE=",
        connections_.max, connections_.max * 2 + kReservedDescriptors, descriptors);
  }
}

Result<void> Server::start() {
  limit_connections(raise_descriptor_limit());
  const unsigned count = config().server.workers != 0 ? config().server.workers : usable_cpus();
  auto listeners = open_listeners(config(), count);
  if (!listeners) return fail(std::move(listeners.error()));
  if (config().access_log.target != proxy::AccessLogOptions::Target::kOff) {
    auto writer = proxy::AccessLogWriter::open(config().access_log);
    if (!writer) return fail(std::move(writer.error()));
    log_ = std::move(*writer);
  }
  std::random_device random;
  for (unsigned i = 0; i < count; ++i) {
    std::vector<Fd> sockets;
    for (auto& listener : *listeners) sockets.push_back(std::move(listener.sockets[i]));
    workers_.push_back(std::make_unique<Worker>(generation_, std::move(sockets), connections_, log_.get(), random()));
  }
  control_.add([](net::Loop& loop) { return std::make_unique<Discoveries>(loop); });
  control_.start(generation_);
  running_ = count;
  for (auto& worker : workers_) {
    worker->start([this] {
      running_.fetch_sub(1);
      ::kill(::getpid(), Signals::kWorkerEnded);
    });
  }
  for (const auto& listener : *listeners) {
    const bool tls = config().listeners[listener.listener].tls.has_value();
    log::info("serving on {} ({})", listener.bound.to_string(), tls ? "https" : "http");
    if (listener.bound.kind == HostPort::Kind::kUnix) unix_paths_.push_back(listener.bound.host);
  }
  log::info("ready: {} worker{}, at most {} connections", count, count == 1 ? "" : "s", connections_.max);
  return {};
}

void Server::wait_for_end() {
  for (;;) {
    const auto signal = signals_.wait(std::nullopt);
    if (signal == SIGUSR1) {
      if (log_) log_->reopen();
    } else if (signal == SIGHUP) {
      log::warn("SIGHUP ignored: restart to apply a changed configuration");
    } else if (signal == SIGINT || signal == SIGTERM || running_ == 0) {
      break;
    }
  }
  drain();
}

void Server::drain() {
  log::info("draining: {} connections, at most {}", connections_.open.load(), to_string(config().server.drain_timeout));
  // Now, and not at the end: by then a successor may have made others.
  for (const auto& path : unix_paths_) ::unlink(path.c_str());
  for (auto& worker : workers_) worker->drain();
  const TimePoint deadline = Clock::now() + config().server.drain_timeout;
  const bool unlimited = config().server.drain_timeout.count() == 0;
  while (running_ > 0) {
    const auto signal = signals_.wait(unlimited ? std::nullopt : std::optional(deadline));
    if (!signal) {
      log::warn("drain timeout: {} connections cut", connections_.open.load());
      break;
    }
    if (signal == SIGINT || signal == SIGTERM) {
      log::warn("second signal: {} connections cut", connections_.open.load());
      break;
    }
  }
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
  workers_.clear();
  control_.stop();
  log_.reset();
  log::info("stopped");
}

}  // namespace

Result<void> run(config::Config config) {
  auto generation = Generation::build(std::move(config));
  if (!generation) return fail(std::move(generation.error()));
  Server server(std::move(*generation));
  if (auto started = server.start(); !started) return started;
  server.wait_for_end();
  return {};
}

}  // namespace rproxy::server
