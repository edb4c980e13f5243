// Reading UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <string_view>

namespace rproxy {

struct Character {
  char32_t code = 0;
  std::size_t size = 0;
};

// The character that begins `text`; `size` is 0 where its first byte begins none.
Character first_character(std::string_view text);

// Whether the byte is one behind a character's first.
constexpr bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace rproxy
