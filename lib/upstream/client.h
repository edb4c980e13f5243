// One exchange with an endpoint, by whichever version of HTTP its connection speaks.
#pragma once

#include "base/result.h"
#include "exchange/exchange.h"
#include "net/task.h"
#include "upstream/pool.h"

namespace rproxy::upstream {

// Sends the request (its head already as the endpoint shall see it) and returns the final response once its head is there; the content is
// pulled from response.body, which holds the lease. Interim responses go to request.interim on the way.
//
// Errors have Side::kUpstream, or Side::kClient when the request's own body failed. error.retry says what a second attempt risks:
// kSafe nothing was sent, or nothing of it looked at, kIdempotent the endpoint may have acted, kNever an answer had begun. Content may have
// been read in any case: who asks again has to have it again.
// request.trace.upstream_first_byte is set; `request` must outlive the response.
// `total`: how long the exchange may take from request.trace.start to the last byte of content; 0 for ever. Then it is cut:
// kRequestTimeout.
net::Task<Result<exchange::Response>> send(exchange::Request& request, Lease lease, const Options& options,
                                           Duration total);

}  // namespace rproxy::upstream
