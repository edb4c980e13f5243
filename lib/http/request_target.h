// The four forms of a request target (RFC 9112 3.2), taken apart.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "http/message.h"
#include "http/path.h"

namespace rproxy::http {

// Fills path, query, has_query and, from absolute-form, authority. head.method_id is set already. Null, or what is wrong.
const char* parse_request_target(std::string_view target, RequestHead& head, const PathPolicy& paths, Arena& arena);

// Validates `authority` and sets head.authority and head.host from it. Null, or what is wrong.
const char* set_authority(std::string_view authority, RequestHead& head, Arena& arena);

}  // namespace rproxy::http
