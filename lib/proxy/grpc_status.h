// What a gRPC upstream's answer says of itself, for the access log.
#pragma once

#include "exchange/exchange.h"

namespace rproxy::proxy {

// Notes the grpc-status of a gRPC answer in `trace`, which outlives it: from the head, or else from the trailers as they pass.
void note_grpc_status(exchange::Trace& trace, exchange::Response& response);

}  // namespace rproxy::proxy
