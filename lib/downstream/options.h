// Limits and timeouts of the side that clients talk to.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "http/chunked.h"
#include "http/head_parser.h"
#include "http/path.h"
#include "http2/options.h"

namespace rproxy::downstream {

// A Duration of 0 means no limit.
struct Options {
  http::HeadLimits head;
  http::ChunkLimits chunks;
  http::PathPolicy paths;
  http2::Options http2;
  Duration handshake_timeout{10'000};         // TLS, accept to finished; before it, as long again, a PROXY header
  Duration head_timeout{10'000};              // first byte of a head to its last, however it drips
  Duration keep_alive_timeout{75'000};        // idle between requests
  Duration body_timeout{30'000};              // longest silence inside a request body
  ByteSize min_body_rate{128};                // bytes a second, averaged after the first 10 s; 0 turns it off
  Duration send_timeout{30'000};              // longest time the client takes nothing of a response
  Duration tunnel_timeout{3'600'000};         // silence both ways after an upgrade
  std::uint64_t requests_per_connection = 0;  // 0: no limit
  ByteSize max_proxy_header{4096};            // a PROXY header of version 2, where one is expected
  ByteSize max_body{0};                       // request content; 0: no limit. Over: 413
};

}  // namespace rproxy::downstream
