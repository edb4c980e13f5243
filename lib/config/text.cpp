#include "config/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/utf8.h"

namespace rproxy::config {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode's Cc and Cf, separators of lines, private use and noncharacters.
constexpr Range kUnseen[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},      {0x61c, 0x61c},   {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x115f, 0x1160},   {0x180b, 0x180e},   {0x200b, 0x200f},    {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},    {0xfff0, 0xfffb}, {0xfffe, 0xffff},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
};

// Marks that combine with what is before them.
constexpr Range kNarrow[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},   {0x93c, 0x93c},
    {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
    {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

// East Asian Width W and F (Unicode Annex 11).
constexpr Range kWide[] = {
    {0x1100, 0x115e},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},
    {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

bool is_in(std::span<const Range> ranges, char32_t code) {
  return std::ranges::any_of(ranges, [code](const Range& r) { return code >= r.first && code <= r.last; });
}

// Tabs would stand elsewhere behind a margin than they do in the file.
constexpr std::string_view kTab = "    ";

Cell cell_of(Character character, std::string_view bytes) {
  const auto escaped = [](std::string text) {
    const std::size_t width = text.size();
    return Cell{std::move(text), width};
  };
  if (character.size == 0) return escaped(fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0])));
  const char32_t code = character.code;
  if (code >= 0x20 && code < 0x7f) return {std::string(bytes), 1};
  if (code == '\t') return escaped(std::string(kTab));
  if (code == '\n') return escaped("\\n");
  if (is_in(kUnseen, code)) {
    const unsigned number = code;
    return escaped(number > 0xffff ? fmt::format("\\U{:08x}", number) : fmt::format("\\u{:04x}", number));
  }
  return {std::string(bytes), is_in(kNarrow, code) ? std::size_t{0} : is_in(kWide, code) ? 2 : 1};
}

}  // namespace

std::vector<Cell> cells_of(std::string_view text) {
  std::vector<Cell> cells;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::size_t size = std::max<std::size_t>(character.size, 1);
    cells.push_back(cell_of(character, text.substr(0, size)));
    text.remove_prefix(size);
  }
  return cells;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const Cell& cell : cells_of(text)) out += cell.text;
  return out;
}

std::string cut_text(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return std::string(text);
  std::size_t end = size_max - 3;
  while (end > 0 && is_continuation(text[end])) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace rproxy::config
