// Text that somebody else wrote, on its way to a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::config {

// One character as it is shown, and how many columns of a terminal that takes.
struct Cell {
  std::string text;
  std::size_t width = 1;
};
// What moves the cursor, changes the direction of writing or is not seen at all is shown as an escape: "\u202e", "\xff".
std::vector<Cell> cells_of(std::string_view text);
std::string printable(std::string_view text);

// The beginning of what is longer than `size_max` bytes, and "...".
std::string cut_text(std::string_view text, std::size_t size_max = 80);

}  // namespace rproxy::config
