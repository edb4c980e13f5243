// Comments of TOML, which the parser does not keep.
#pragma once

#include <cstddef>
#include <string_view>

namespace rproxy::check {

// Where a line's comment begins, or npos. `open` is what ends the string that goes on from the line before, and to the next; empty before
// the first.
std::size_t find_comment(std::string_view line, std::string_view& open);

}  // namespace rproxy::check
