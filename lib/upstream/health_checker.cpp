#include "upstream/health_checker.h"

#include <utility>

#include "base/log.h"
#include "net/sleep.h"

namespace rproxy::upstream {

using balance::Health;

struct HealthChecker::Check {
  Check(EndpointPtr checked, const HealthOptions& options, std::uint64_t seed)
      : endpoint(std::move(checked)), track(options, endpoint->state.health(), seed) {}

  EndpointPtr endpoint;
  HealthTrack track;
  std::unique_ptr<Prober> prober;
  net::Child<void> task;  // last: it uses the others
};

HealthChecker::HealthChecker(net::Loop& loop, std::shared_ptr<Upstream> upstream, net::TlsClientMaterial material,
                             ProbeSlots& slots, std::uint64_t seed, net::Connect connect)
    : loop_(loop),
      upstream_(std::move(upstream)),
      options_(*upstream_->options().health),
      material_(std::move(material)),
      slots_(slots),
      seed_(seed),
      connect_(std::move(connect)) {
  upstream_->peers().set_trusts_unknown(options_.initial != InitialHealth::kUnhealthy);
  update();
}

HealthChecker::~HealthChecker() = default;

void HealthChecker::update() {
  if (version_ == upstream_->version()) return;
  const EndpointSetPtr set = upstream_->endpoints();
  version_ = set->version();
  std::map<std::uint64_t, std::unique_ptr<Check>> staying;
  for (const EndpointPtr& endpoint : set->endpoints()) {
    const std::uint64_t id = endpoint->state.id();
    auto& check = staying[id];
    if (auto known = checks_.find(id); known != checks_.end()) check = std::move(known->second);
    if (check == nullptr) check = std::make_unique<Check>(endpoint, options_, seed_ ^ id * 0x9e3779b97f4a7c15);
  }
  checks_ = std::move(staying);
  for (auto& [id, check] : checks_) {
    if (check->task.has_task()) continue;
    auto made =
        Prober::create(loop_, upstream_->options(), options_, probe_target(*check->endpoint), material_, connect_);
    if (!made) {
      log::error("upstream {}: {} is not checked: {}", upstream_->name(), check->endpoint->state.name(),
                 describe(made.error()));
      continue;
    }
    check->prober = std::move(*made);
    if (const Health health = check->track.health(); health != check->endpoint->state.health())
      check->endpoint->state.set_health(health, "not checked yet", loop_.now());
    check->task = net::Child<void>(watch(*check));
  }
}

net::Task<void> HealthChecker::watch(Check& check) {
  for (;;) {
    co_await net::Sleep(loop_, check.track.next_delay());
    ProbeResult result;
    {
      const auto slot = co_await slots_.take();
      result = co_await check.prober->probe();
    }
    note(check, result);
  }
}

void HealthChecker::note(Check& check, const ProbeResult& result) {
  balance::EndpointState& state = check.endpoint->state;
  const Health before = check.track.health();
  // Nothing that is the endpoint's fault.
  if (result.failure == ProbeResult::Failure::kLocal) {
    return log::warn("upstream {}: {} could not be checked: {}", upstream_->name(), state.name(), result.reason);
  }
  const bool changed = check.track.record(result.is_ok());
  state.set_health(check.track.health(), result.reason, loop_.now());
  if (!changed) return;
  if (!result.is_ok()) {
    log::warn("upstream {}: {} is unhealthy: {} ({} in a row)", upstream_->name(), state.name(), result.reason,
              check.track.in_a_row());
  } else if (before == Health::kUnhealthy) {
    log::info("upstream {}: {} is healthy again: {}", upstream_->name(), state.name(), result.reason);
  } else {
    log::debug("upstream {}: {} is healthy: {}", upstream_->name(), state.name(), result.reason);
  }
}

}  // namespace rproxy::upstream
