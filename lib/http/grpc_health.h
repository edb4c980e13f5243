// The gRPC health protocol (grpc/doc health-checking.md): one request of one string, one answer of one number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rproxy::http {

inline constexpr std::string_view kGrpcHealthPath = "/grpc.health.v1.Health/Check";

enum class GrpcServing : std::uint8_t { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };
std::string_view to_string(GrpcServing serving);  // "NOT_SERVING"

// A HealthCheckRequest in its frame. `service` empty: the server as a whole.
std::string encode_grpc_health_request(std::string_view service);

// The status in a framed HealthCheckResponse; nothing where that is not one whole message, or compressed, which nobody asked for. A number
// that has no name is kUnknown.
std::optional<GrpcServing> decode_grpc_health_response(std::string_view framed);

}  // namespace rproxy::http
