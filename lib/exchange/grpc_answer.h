// What a gRPC client is told when there is no answer to pass on: a status in a head that has no content behind it, never a page.
#pragma once

#include <string_view>

#include "exchange/exchange.h"
#include "http/grpc.h"

namespace rproxy::exchange {

// "Trailers-only" (grpc/doc PROTOCOL-HTTP2.md): HTTP status 200, grpc-status and grpc-message. Its content type is the request's where that
// is gRPC-Web. Notes the status in the request's trace.
Response grpc_answer(Request& request, http::GrpcStatus status, std::string_view message);

}  // namespace rproxy::exchange
