// The part of a line that a diagnostic shows, and where its mark stands.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rproxy::config {

struct Excerpt {
  std::string line;
  std::size_t caret = 0;      // columns of the terminal before the mark
  std::size_t underline = 1;  // columns of the mark
};

// What is around `column` (in characters, from 1), no wider than a terminal, with "..." where it is cut. `length` characters are marked;
// 0: the string, the brackets or the word that begins there.
Excerpt excerpt(std::string_view line, std::size_t column, std::size_t length);

}  // namespace rproxy::config
