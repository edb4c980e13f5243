// What a client is told when there is no answer to pass on.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "exchange/exchange.h"

namespace rproxy::exchange {

// The one place where a failure becomes a status: 4xx for the client's, 502, 503 or 504 for the upstream's, 500 for ours.
std::uint16_t status_of(const Error& error);

// The stable word for access logs: "client_closed", "upstream_timeout", "upstream_refused"...
std::string_view termination_of(const Error& error);

// The Proxy-Status error type (RFC 9209 2.3): "connection_refused".
std::string_view proxy_error_of(const Error& error);

// What the client is told of a failure: a page(), or a grpc_answer() where it speaks gRPC. Views into the request's arena.
Response error_response(Request& request, std::uint16_t status);

// A page in the form the client accepts (HTML, JSON or plain text), with the request's id and nothing about backends. Views into the
// request's arena.
Response page(Request& request, std::uint16_t status);

}  // namespace rproxy::exchange
