// Why a route did not get a request, in words.
#pragma once

#include <string>

#include "base/address.h"
#include "http/message.h"
#include "route/explainer.h"
#include "route/rule.h"

namespace rproxy::check {

// Of that rule; `head` and `client` are what it was held against.
std::string text_of(const route::Loss& loss, const route::Rule& rule, const http::RequestHead& head,
                    const IpAddress& client);

}  // namespace rproxy::check
