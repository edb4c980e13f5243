// Cookies of a request (RFC 6265 4.2).
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "http/fields.h"

namespace rproxy::http {

// The first cookie of that name, quotes kept; names compare with case.
std::optional<std::string_view> find_cookie(const Fields& fields, std::string_view name);

// Takes all cookies of that name out; what remains of their lines is written to the arena.
void remove_cookie(Fields& fields, std::string_view name, Arena& arena);

}  // namespace rproxy::http
