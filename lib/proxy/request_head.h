// The request's head as the upstream shall see it.
#pragma once

#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::proxy {

// Removes the hop-by-hop fields and the forwarding fields that the peer is not trusted to set, adds ours. In place; new text goes into the
// request's arena. Called once, whatever the number of attempts.
void prepare_request_head(exchange::Request& request, const ForwardingOptions& options);

// Takes one from the Max-Forwards of an OPTIONS or TRACE; false where that has none left and we are to answer (RFC 9110 7.6.2).
// kBadRequest where it can't be read.
Result<bool> count_hop(exchange::Request& request);

}  // namespace rproxy::proxy
