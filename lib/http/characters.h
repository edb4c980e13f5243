// Character classes of RFC 9110 5.6 and RFC 3986 as one table, and fast checks of whole strings.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rproxy::http {

enum CharacterClass : std::uint8_t {
  kTokenChar = 1,       // RFC 9110 5.6.2 tchar
  kFieldChar = 2,       // field values and reasons: HTAB, SP, VCHAR, obs-text
  kPathChar = 4,        // RFC 3986 pchar without '%', and '/'
  kQueryChar = 8,       // visible ASCII but '#': what browsers leave unescaped in a query is let through
  kUnreservedChar = 16  // RFC 3986 2.3
};

namespace detail {

constexpr std::array<std::uint8_t, 256> make_character_table() {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&table](std::string_view characters, std::uint8_t classes) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] |= classes;
  };
  for (int c = '0'; c <= '9'; ++c) table[c] |= kTokenChar | kPathChar | kUnreservedChar;
  for (int c = 'a'; c <= 'z'; ++c) table[c] |= kTokenChar | kPathChar | kUnreservedChar;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] |= kTokenChar | kPathChar | kUnreservedChar;
  add("-._~", kPathChar | kUnreservedChar);
  add("!$&'()*+,;=:@/", kPathChar);
  add("!#$%&'*+-.^_`|~", kTokenChar);
  for (int c = 0x21; c < 0x7f; ++c) table[c] |= kFieldChar | (c == '#' ? 0 : kQueryChar);
  for (int c = 0x80; c < 0x100; ++c) table[c] |= kFieldChar;
  add("\t ", kFieldChar);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharacterTable = make_character_table();

}  // namespace detail

constexpr bool is(char c, CharacterClass wanted) {
  return (detail::kCharacterTable[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool all_are(std::string_view text, CharacterClass wanted) {
  for (const char c : text) {
    if (!is(c, wanted)) return false;
  }
  return true;
}

constexpr bool is_token(std::string_view text) { return !text.empty() && all_are(text, kTokenChar); }

// all_are(text, kFieldChar), eight bytes at a time.
inline bool is_field_text(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t del = word ^ (kOnes * 0x7f);
    // A hit may be a harmless tab, or a borrow's false alarm: the table decides.
    if (((below_space | ((del - kOnes) & ~del)) & kHighs) != 0 && !all_are({at, 8}, kFieldChar)) return false;
  }
  return all_are({at, left}, kFieldChar);
}

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// -1 for anything that is no hexadecimal digit.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 9110 5.6.3: optional whitespace is SP and HTAB.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit` with each non-empty element of a comma-separated list (RFC 9110 5.6.1), trimmed; stops when it returns false. Commas
// inside quoted strings do not separate.
template <typename Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    std::size_t end = 0;
    bool quoted = false;
    for (; end < list.size() && (quoted || list[end] != ','); ++end) {
      if (list[end] == '"') {
        quoted = !quoted;
      } else if (quoted && list[end] == '\\') {
        ++end;
      }
    }
    const auto element = trim(list.substr(0, end));
    list = end < list.size() ? list.substr(end + 1) : std::string_view{};
    if (!element.empty() && !visit(element)) return;
  }
}

}  // namespace rproxy::http
