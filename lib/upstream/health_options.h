// What an operator chooses about the active checks of an upstream's endpoints.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/units.h"
#include "upstream/status_set.h"

namespace rproxy::upstream {

// kTcp: a connection is enough; kTls: and a handshake; kHttp: and an answer as expected; kGrpc: and one of the gRPC health protocol.
enum class HealthType : std::uint8_t { kTcp, kTls, kHttp, kGrpc };

// What an endpoint counts as before it was ever checked. kUnchecked: it takes requests, and the first check decides by itself; kUnhealthy:
// the same, but it takes none until then; kHealthy: it takes `fall` failures to take it out.
enum class InitialHealth : std::uint8_t { kHealthy, kUnhealthy, kUnchecked };

struct HealthOptions {
  HealthType type = HealthType::kHttp;
  std::string path = "/";  // with its query
  std::string method = "GET";
  std::string host;  // empty: the endpoint's own
  std::vector<std::pair<std::string, std::string>> headers;
  StatusSet expect_status;
  std::string expect_body;   // text that the content has in it; empty: any
  std::string expect_regex;  // RE2; matches somewhere in the content
  Duration max_latency{0};   // of the whole check; 0: `timeout` is enough
  std::string grpc_service;  // empty: the server as a whole
  std::uint16_t port = 0;    // 0: the endpoint's own

  Duration interval{5'000};
  Duration unhealthy_interval{1'000};  // after a failed check, and until the endpoint is healthy again
  std::uint32_t jitter = 10;           // percent by which each interval may be shorter or longer
  Duration timeout{2'000};             // of the whole check
  std::uint32_t rise = 2;              // checks in a row that make it healthy
  std::uint32_t fall = 3;              // failures in a row that make it unhealthy
  InitialHealth initial = InitialHealth::kUnchecked;
  bool operator==(const HealthOptions&) const = default;
};

}  // namespace rproxy::upstream
