// The active checks of all upstreams, on the control thread.
#pragma once

#include <memory>
#include <vector>

#include "server/control.h"
#include "upstream/health_checker.h"

namespace rproxy::server {

class HealthChecks final : public Control::Resident {
 public:
  explicit HealthChecks(net::Loop& loop) : loop_(loop) {}

  // Endpoints that stay keep what was found out about them.
  void adopt(const std::shared_ptr<const Generation>& generation) override;

 private:
  net::Task<void> keep_up();

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  upstream::ProbeSlots slots_;
  std::vector<std::unique_ptr<upstream::HealthChecker>> checkers_;
  net::Child<void> keeping_up_;
};

}  // namespace rproxy::server
