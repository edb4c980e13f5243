#include "server/health_checks.h"

#include <random>

#include "net/sleep.h"

namespace rproxy::server {
namespace {

// How soon an endpoint that was added is checked.
constexpr Duration kKeepUpEvery{200};

// Nobody finds out any more.
void forget_health(const upstream::Upstream& upstream, TimePoint now) {
  upstream.peers().set_trusts_unknown(true);
  for (const auto& endpoint : upstream.endpoints()->endpoints())
    endpoint->state.set_health(balance::Health::kUnknown, "", now);
}

}  // namespace

void HealthChecks::adopt(const std::shared_ptr<const Generation>& generation) {
  keeping_up_.cancel();
  checkers_.clear();
  generation_ = generation;
  std::random_device random;
  for (const auto& upstream : generation->upstreams()) {
    if (!upstream->options().health) {
      forget_health(*upstream, loop_.now());
      continue;
    }
    checkers_.push_back(std::make_unique<upstream::HealthChecker>(
        loop_, upstream, generation->tls().client_material(upstream->options()), slots_, random()));
  }
  if (!checkers_.empty()) keeping_up_ = net::Child<void>(keep_up());
}

net::Task<void> HealthChecks::keep_up() {
  for (;;) {
    co_await net::Sleep(loop_, kKeepUpEvery);
    for (const auto& checker : checkers_) checker->update();
  }
}

}  // namespace rproxy::server
