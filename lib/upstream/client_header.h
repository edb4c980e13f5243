// The PROXY header that tells an endpoint whose connection it has.
#pragma once

#include <string>

#include "exchange/exchange.h"
#include "upstream/options.h"

namespace rproxy::upstream {

// Empty where none is to be sent. `client` null: a connection of our own. The addresses are those of the client's connection: a request's
// forwarding fields change from one to the next, and what a connection began with stays.
std::string client_header(ProxyProtocol protocol, const exchange::Client* client);

}  // namespace rproxy::upstream
