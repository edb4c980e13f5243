#include "base/utf8.h"

namespace rproxy {

Character first_character(std::string_view text) {
  if (text.empty()) return {};
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  if (first < 0xc2 || first > 0xf4) return {};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (text.size() < size) return {};
  char32_t code = first & (0xffU >> (size + 1));
  for (const char byte : text.substr(1, size - 1)) {
    if (!is_continuation(byte)) return {};
    code = code << 6 | (static_cast<unsigned char>(byte) & 0x3f);
  }
  const bool is_overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  return is_overlong || is_surrogate || code > 0x10ffff ? Character{} : Character{code, size};
}

}  // namespace rproxy
