// The request's head as the upstream shall see it.
#pragma once

#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::proxy {

// Removes the hop-by-hop fields and the forwarding fields that the peer is not trusted to set, adds ours. In place; new text goes into the
// request's arena. Called once, whatever the number of attempts.
void prepare_request_head(exchange::Request& request, const ForwardingOptions& options);

}  // namespace rproxy::proxy
