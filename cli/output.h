// Results, to stdout.
#pragma once

#include <string_view>

namespace rproxy::cli {

// Throws, with a message for the user, where it can't be written. What is buffered main() finds out about.
void write_output(std::string_view text);

}  // namespace rproxy::cli
