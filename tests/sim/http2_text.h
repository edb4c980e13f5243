// Messages as scripts and views have them, which is HTTP/1, and as HTTP/2 has them.
#pragma once

#include <string>
#include <string_view>

#include "support/http2_client.h"

namespace rproxy::sim {

// The lines of a head or of trailers, names in lower case.
test::Lines lines_of(std::string_view text, bool with_start_line);
// Names as HTTP/1 scripts write them ("X-Sum"), without pseudo-headers.
std::string text_of(const test::Lines& lines);
// Host, Connection, Transfer-Encoding.
bool is_of_http1(const std::pair<std::string, std::string>& line);

}  // namespace rproxy::sim
