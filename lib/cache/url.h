// A URL as somebody writes it down, made into what a request for it would be.
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/message.h"
#include "http/path.h"

namespace rproxy::cache {

// Of GET, without fields. Nothing where it could not come in a request. Views into the arena.
std::optional<http::RequestHead> parse_url(std::string_view text, const http::PathPolicy& paths, Arena& arena);

}  // namespace rproxy::cache
