// The grpc-timeout field: how long a gRPC client is going to wait (grpc/doc PROTOCOL-HTTP2.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace rproxy::http {

// One to eight digits and a unit: H, M, S, m, u or n. Nanoseconds are rounded up, and what is longer than a year is a year, so that sums
// of times stay in range. Zero is no positive number, but what clients send whose time is over. Nothing for anything else.
std::optional<std::chrono::microseconds> parse_grpc_timeout(std::string_view text);

constexpr std::size_t kGrpcTimeoutSize = 9;

// In the finest unit that eight digits are enough for, rounded down; not less than a microsecond and not more than a year. `out` has room
// for kGrpcTimeoutSize bytes; returns how many were written.
std::size_t write_grpc_timeout(char* out, std::chrono::microseconds timeout);

}  // namespace rproxy::http
