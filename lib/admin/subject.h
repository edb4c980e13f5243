// What the admin endpoint is about: all that it sees of the proxy, and all that it can do to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "config/config.h"
#include "metrics/catalogue.h"
#include "storage/cache.h"
#include "upstream/upstream.h"

namespace rproxy::admin {

// The configuration that serves, with what it is made of.
struct Serving {
  std::shared_ptr<const config::Config> config;
  std::vector<std::shared_ptr<upstream::Upstream>> upstreams;
  std::shared_ptr<const metrics::Catalogue> catalogue;
  std::shared_ptr<storage::Cache> cache;  // null: no route has one
  std::string effective;                  // as TOML, without its secrets
  std::uint64_t revision = 1;             // grows with each reload
  std::chrono::system_clock::time_point since;
};

struct ReloadOutcome {
  bool ok = false;
  std::string text;  // what has changed; or why nothing has, as diagnostics are shown to people
};

// One that clients are shown, or are to be.
struct CertificateState {
  using Time = std::chrono::system_clock::time_point;

  std::vector<std::string> names;
  std::string source;  // the file; or "acme"
  // Absent where there is none yet.
  std::optional<Time> not_before;
  std::optional<Time> not_after;
  // Of those that are had from an ACME server.
  std::optional<Time> renew_at;
  std::optional<Time> retry_at;
  std::uint32_t failures = 0;  // in a row
  std::string last_error;
  bool is_under_way = false;
};

// Used on the control loop only. Functions are never empty.
struct Subject {
  Serving serving;
  std::string version;
  unsigned workers = 1;
  std::chrono::system_clock::time_point started;
  std::function<bool()> is_draining;
  std::function<std::uint64_t()> open_connections;
  std::function<std::uint64_t()> max_connections;
  std::function<std::vector<CertificateState>()> certificates = [] { return std::vector<CertificateState>(); };
  // As soon as may be; false: no certificate for that name is had from an ACME server.
  std::function<bool(const std::string& name)> renew = [](const std::string&) { return false; };
  // `done` is called once, on the control loop.
  std::function<void(std::function<void(ReloadOutcome)> done)> reload;
};

}  // namespace rproxy::admin
