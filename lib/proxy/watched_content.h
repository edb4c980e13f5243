// What an endpoint's answers are like behind their heads: one that cuts them short is left alone, too.
#pragma once

#include <string_view>

#include "exchange/exchange.h"
#include "upstream/endpoint.h"

namespace rproxy::proxy {

// The endpoint hears of how the response's content has ended, where it ends for better or worse before the client leaves. `endpoint` lives
// as long as the content; the request and the upstream's name outlive it.
void watch_content(const exchange::Request& request, exchange::Response& response, std::string_view upstream,
                   upstream::Endpoint& endpoint);

}  // namespace rproxy::proxy
