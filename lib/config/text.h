// Text that somebody else wrote, on its way to a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::config {

// The character that begins `text` (RFC 3629 4); `size` is 0 where its first byte begins none.
struct Character {
  char32_t code = 0;
  std::size_t size = 0;
};
Character first_character(std::string_view text);

// One character as it is shown, and how many columns of a terminal that takes.
struct Cell {
  std::string text;
  std::size_t width = 1;
};
// What moves the cursor, changes the direction of writing or is not seen at all is shown as an escape: "\u202e", "\xff".
std::vector<Cell> cells_of(std::string_view text);
std::string printable(std::string_view text);

// The beginning of what is too long for a message, and "...".
std::string cut_text(std::string_view text);

}  // namespace rproxy::config
