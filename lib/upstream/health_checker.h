// The active checks of one upstream's endpoints, one check after the other for each, whoever uses them and however many workers there are.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "net/loop.h"
#include "net/task.h"
#include "net/tls_context.h"
#include "upstream/health_track.h"
#include "upstream/probe_slots.h"
#include "upstream/prober.h"

namespace rproxy::upstream {

class HealthChecker {
 public:
  // For one thread: `loop`'s. `upstream` has options().health. All but `upstream` outlive the checker. `trusted`: as of Prober; reading
  // it is left to the caller. `seed` makes the times between checks.
  HealthChecker(net::Loop& loop, std::shared_ptr<Upstream> upstream, net::TlsClientMaterial material, ProbeSlots& slots,
                std::uint64_t seed, net::Connect connect = net::connect);
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;
  // What was found out stays with the endpoints.
  ~HealthChecker();

  // To be called when the upstream's set may be another: those that stay are checked on as they were.
  void update();
  std::size_t size() const { return checks_.size(); }

 private:
  struct Check;

  net::Task<void> watch(Check& check);
  void note(Check& check, const ProbeResult& result);

  net::Loop& loop_;
  const std::shared_ptr<Upstream> upstream_;
  const HealthOptions& options_;
  net::TlsClientMaterial material_;
  ProbeSlots& slots_;
  std::uint64_t seed_;
  net::Connect connect_;
  std::uint64_t version_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Check>> checks_;  // by the endpoint's id
};

}  // namespace rproxy::upstream
