// Text within XML.
#pragma once

#include <string>
#include <string_view>

namespace rproxy::check {

// Fit for an attribute in double quotes, and for content; what XML has no room for is shown as an escape.
std::string xml(std::string_view text);

}  // namespace rproxy::check
