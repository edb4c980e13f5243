// Parameters of a query, as application/x-www-form-urlencoded writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rproxy::http {

// The first parameter of that name, value still encoded; empty for a parameter without '='. Names compare decoded.
std::optional<std::string_view> find_query(std::string_view query, std::string_view name);

// Whether the encoded text means `plain`: escapes decoded, '+' a space. Allocates nothing.
bool decodes_to(std::string_view encoded, std::string_view plain);
bool decodes_to_prefix(std::string_view encoded, std::string_view plain);

// For patterns, which need the text itself. Malformed escapes stay as they are.
std::string decode_query(std::string_view encoded);

}  // namespace rproxy::http
