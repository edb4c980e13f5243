#include "server/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "server/admin_endpoint.h"
#include "server/admin_sockets.h"
#include "server/buffer_size.h"
#include "server/certificates.h"
#include "server/change_summary.h"
#include "server/config_watch.h"
#include "server/control.h"
#include "server/discoveries.h"
#include "server/fleet.h"
#include "server/generation.h"
#include "server/health_checks.h"
#include "server/ocsp_staples.h"
#include "server/outlier_sweeps.h"
#include "server/reload_requests.h"
#include "server/restart_keys.h"
#include "server/signals.h"

namespace rproxy::server {
namespace {

// One line for each, as compilers write them.
void log_diagnostics(const std::vector<config::Diagnostic>& all) {
  constexpr std::size_t kLoggedMax = 50;
  for (std::size_t i = 0; i < std::min(all.size(), kLoggedMax); ++i) {
    const config::Diagnostic& each = all[i];
    const bool is_error = each.severity == config::Severity::kError;
    const std::string at =
        each.at.line == 0 ? each.at.file : fmt::format("{}:{}:{}", each.at.file, each.at.line, each.at.column);
    const std::string help = each.remedy.empty() ? "" : fmt::format(" (help: {})", each.remedy);
    log::write(is_error ? LogLevel::kError : LogLevel::kWarn,
               fmt::format("{}: {}[{}]: {}{}", at, is_error ? "error" : "warning", each.id, each.message, help));
  }
  if (all.size() > kLoggedMax) log::error("{} more not told", all.size() - kLoggedMax);
}

class Server {
 public:
  Server(std::shared_ptr<const Generation> generation, std::string effective, Options options)
      : options_(std::move(options)),
        generation_(std::move(generation)),
        effective_(std::move(effective)),
        buffer_size_(buffer_size(config())),
        control_(buffer_size_) {}

  Result<void> start(config::Sources sources);
  void wait_for_end();

 private:
  const config::Config& config() const { return generation_->config(); }
  void add_residents(const config::Sources& sources);
  Result<void> add_admin();
  admin::Subject make_subject();
  void reload(const ReloadRequests::Batch& batch);
  Result<std::string> try_reload();
  Result<std::string> reload();
  Result<std::string> take(config::Config next, std::string effective);
  void drain();

  // First: threads inherit which signals are theirs.
  Signals signals_;
  ReloadRequests reloads_{&Signals::wake};
  Options options_;
  std::shared_ptr<const Generation> generation_;
  // Those before, as long as somebody uses them: it takes a while to free one, and here nobody waits for it.
  std::vector<std::shared_ptr<const Generation>> past_;
  std::string effective_;  // of the generation, as text
  std::size_t buffer_size_;
  ConfigWatch* watch_ = nullptr;    // lives on the control thread; null: nobody watches
  AdminEndpoint* admin_ = nullptr;  // the same
  Certificates* certificates_ = nullptr;
  std::atomic<bool> is_draining_{false};
  Control control_;
  Fleet fleet_{&Signals::wake};
};

void Server::add_residents(const config::Sources& sources) {
  control_.add([](net::Loop& loop) { return std::make_unique<Discoveries>(loop); });
  control_.add([](net::Loop& loop) { return std::make_unique<HealthChecks>(loop); });
  control_.add([](net::Loop& loop) { return std::make_unique<OutlierSweeps>(loop); });
  control_.add([this](net::Loop& loop) {
    auto made = std::make_unique<Certificates>(loop);
    certificates_ = made.get();
    return made;
  });
  control_.add([](net::Loop& loop) { return std::make_unique<OcspStaples>(loop); });
  if (!options_.watch) return;
  control_.add([this, sources](net::Loop& loop) {
    auto watch = std::make_unique<ConfigWatch>(loop, [this] { reloads_.request_reload("its files have changed"); });
    watch->watch(sources);
    watch_ = watch.get();
    return watch;
  });
}

// Sockets first: what cannot be had is told before anything is served.
Result<void> Server::add_admin() {
  if (!config().admin.is_on()) return {};
  auto opened = AdminSockets::open(config().admin);
  if (!opened) return fail(std::move(opened.error()));
  control_.add([this, sockets = std::make_shared<AdminSockets>(std::move(*opened))](net::Loop& loop) {
    auto made = std::make_unique<AdminEndpoint>(loop, std::move(*sockets), config().admin, make_subject(), effective_);
    admin_ = made.get();
    return made;
  });
  return {};
}

admin::Subject Server::make_subject() {
  admin::Subject subject;
  subject.version = options_.version;
  subject.workers = static_cast<unsigned>(fleet_.size());
  subject.started = std::chrono::system_clock::now();
  subject.is_draining = [this] { return is_draining_.load(); };
  subject.open_connections = [this] { return fleet_.connections().open.load(); };
  subject.max_connections = [this] { return fleet_.connections().max.load(); };
  subject.certificates = [this] { return certificates_->list(); };
  subject.renew = [this](const std::string& name) { return certificates_->renew(name); };
  subject.reload = [this](auto done) {
    reloads_.request_reload("asked for by the admin endpoint", [this, done](const ReloadOutcome& outcome) {
      control_.post([done, told = admin::ReloadOutcome{outcome.ok, outcome.text}] { done(told); });
    });
  };
  return subject;
}

Result<void> Server::start(config::Sources sources) {
  add_residents(sources);
  if (auto added = add_admin(); !added) return added;
  return fleet_.start(generation_, [this] { control_.start(generation_); });
}

void Server::wait_for_end() {
  for (;;) {
    const auto signal = signals_.wait(std::nullopt);
    if (signal == SIGUSR1) fleet_.reopen_log();
    if (signal == SIGHUP) reloads_.request_reload("SIGHUP");
    if (signal == SIGINT || signal == SIGTERM || fleet_.running() == 0) break;
    if (const auto batch = reloads_.take()) reload(*batch);
  }
  reloads_.refuse("the server is ending");
  drain();
}

void Server::reload(const ReloadRequests::Batch& batch) {
  log::info("reloading the configuration: {}", batch.why);
  const TimePoint began = Clock::now();
  const auto done = try_reload();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  ReloadOutcome outcome{done.has_value(), done ? *done : done.error().context};
  if (done) {
    log::info("reloaded in {} ms: {}", took.count(), *done);
  } else {
    log::error("not reloaded, the configuration before goes on serving");
  }
  for (const auto& tell : batch.waiting) tell(outcome);
}

// Whatever is wrong with a new configuration is no reason to end what serves the old one.
Result<std::string> Server::try_reload() {
  try {
    return reload();
  } catch (const std::exception& error) {
    log::error("reloading ended by an internal error: {}", error.what());
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, error.what());
  }
}

// What has changed. The error's context is all that there is to say.
Result<std::string> Server::reload() {
  std::erase_if(past_, [](const auto& generation) { return generation.use_count() == 1; });
  config::Loaded loaded = options_.load();
  if (watch_ != nullptr) {
    control_.post([watch = watch_, sources = loaded.sources] { watch->watch(sources); });
  }
  log_diagnostics(loaded.diagnostics);
  if (!loaded.ok()) {
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, config::render(loaded.diagnostics, false));
  }
  auto done = take(std::move(loaded.config), config::render_effective(loaded));
  if (!done) {
    std::string why = describe(done.error());
    log::error("{}", why);
    return fail(done.error().code, Side::kLocal, Retry::kNever, std::move(why));
  }
  return done;
}

Result<std::string> Server::take(config::Config next, std::string effective) {
  for (const auto& line : keep_until_restart(next, config(), buffer_size_)) log::warn("{}", line);
  auto generation = Generation::build(std::move(next), generation_.get());
  if (!generation) return fail(std::move(generation.error()));
  std::string summary = change_summary(effective_, effective);
  if ((*generation)->tls().shows_others(generation_->tls())) {
    summary = summary == "nothing" ? "certificates" : summary + ", certificates";
  }
  if (auto changed = fleet_.change(*generation); !changed) return fail(std::move(changed.error()));
  (*generation)->take_over();
  past_.push_back(std::exchange(generation_, std::move(*generation)));
  effective_ = std::move(effective);
  log::set_level(config().server.log_level);
  if (admin_ != nullptr) control_.post([admin = admin_, text = effective_] { admin->expect(text); });
  control_.adopt(generation_);
  return summary;
}

void Server::drain() {
  const Duration timeout = config().server.drain_timeout;
  log::info("draining: {} connections, at most {}", fleet_.connections().open.load(), to_string(timeout));
  is_draining_ = true;
  if (admin_ != nullptr) control_.post([admin = admin_] { admin->drain(); });
  fleet_.drain();
  const TimePoint deadline = Clock::now() + timeout;
  const bool unlimited = timeout.count() == 0;
  while (fleet_.running() > 0) {
    const auto signal = signals_.wait(unlimited ? std::nullopt : std::optional(deadline));
    if (!signal) {
      log::warn("drain timeout: {} connections cut", fleet_.connections().open.load());
      break;
    }
    if (signal == SIGINT || signal == SIGTERM) {
      log::warn("second signal: {} connections cut", fleet_.connections().open.load());
      break;
    }
  }
  fleet_.stop();
  control_.stop();
  log::info("stopped");
}

}  // namespace

Result<void> run(config::Loaded loaded, Options options) {
  std::string effective = config::render_effective(loaded);
  auto generation = Generation::build(std::move(loaded.config));
  if (!generation) return fail(std::move(generation.error()));
  Server server(std::move(*generation), std::move(effective), std::move(options));
  if (auto started = server.start(std::move(loaded.sources)); !started) return started;
  server.wait_for_end();
  return {};
}

}  // namespace rproxy::server
