// What becomes of a gRPC upstream's answer, for the access log.
#pragma once

#include "exchange/exchange.h"
#include "proxy/time_limit.h"

namespace rproxy::proxy {

// Notes the grpc-status of a gRPC answer in `trace`, which outlives it: from the head, or else from the trailers as they pass. Content
// that is cut short by `limit` fails with its error().
void note_grpc_status(exchange::Trace& trace, exchange::Response& response, const TimeLimit& limit);

}  // namespace rproxy::proxy
