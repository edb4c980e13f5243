// Results, to stdout.
#pragma once

#include <string>
#include <string_view>

namespace rproxy::cli {

// Throws, with a message for the user, where it can't be written. What is buffered main() finds out about.
void write_output(std::string_view text);

// The columns of the terminal that the output goes to; 0: it goes to none.
std::size_t width_of_output();
// With lines of prose longer than `width` broken between words, what follows indented; 0: as it is. Colours take no room.
std::string wrap_prose(std::string_view text, std::size_t width);

// Whoever reads the file meanwhile has the old one or the new one, whole. A device or a pipe is written into. Throws as above.
void write_file_atomically(const std::string& path, std::string_view text);

}  // namespace rproxy::cli
