#include "config/excerpt.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/utf8.h"
#include "config/text.h"

namespace rproxy::config {
namespace {

constexpr std::size_t kWidthMax = 110;
constexpr std::size_t kBefore = 40;  // what is kept of what leads to the mark, where both sides are cut
constexpr std::string_view kCut = "...";
constexpr std::size_t kBytesMax = 4 * kWidthMax;  // that many columns are at most as many bytes

std::size_t width_of(std::span<const Cell> cells) {
  std::size_t width = 0;
  for (const Cell& cell : cells) width += cell.width;
  return width;
}

// The string that begins `text`, its quotes included; all of `text` where it doesn't end on this line.
std::size_t string_size(std::string_view text) {
  const char quote = text[0];
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (text[at] == quote) {
      const bool is_block = at == 1 && text.size() > 2 && text[2] == quote;
      return is_block ? text.size() : at + 1;
    }
  }
  return text.size();
}

// From a bracket to the one that closes it; the bracket alone where that is on another line.
std::size_t brackets_size(std::string_view text) {
  std::size_t open = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at += string_size(text.substr(at)) - 1;
    } else if (c == '[' || c == '{') {
      ++open;
    } else if ((c == ']' || c == '}') && --open == 0) {
      return at + 1;
    }
  }
  return 1;
}

std::size_t marked_size(std::string_view text) {
  if (text.empty()) return 0;
  const char first = text[0];
  if (first == '"' || first == '\'') return string_size(text);
  if (first == '[' || first == '{') return brackets_size(text);
  return std::min(text.find_first_of(" \t,]}=#", 1), text.size());
}

// The characters around a place: `before` of them lead to it.
struct Window {
  std::vector<Cell> cells;
  std::size_t before = 0;
  std::string_view after;  // the line from the place on
  bool is_cut_before = false;
  bool is_cut_after = false;
};

// A line may be as long as a file: only what can be shown is looked at closely.
Window window_of(std::string_view line, std::size_t column) {
  std::array<std::size_t, kWidthMax> starts{};  // of the last characters
  std::size_t at = 0;
  std::size_t count = 0;
  for (; count + 1 < column && at < line.size(); ++count) {
    starts[count % kWidthMax] = at;
    at += std::max<std::size_t>(first_character(line.substr(at)).size, 1);
  }
  Window out;
  out.is_cut_before = count > kWidthMax;
  const std::size_t begin = out.is_cut_before ? starts[count % kWidthMax] : 0;
  out.after = line.substr(at);
  std::size_t end = std::min(line.size(), at + kBytesMax);
  while (end > at && end < line.size() && is_continuation(line[end])) --end;
  out.is_cut_after = end < line.size();
  out.cells = cells_of(line.substr(begin, end - begin));
  out.before = std::min(count, kWidthMax);
  return out;
}

}  // namespace

Excerpt excerpt(std::string_view line, std::size_t column, std::size_t length) {
  const Window window = window_of(line, column);
  const std::span<const Cell> cells(window.cells);
  const std::size_t mark = window.before;
  std::size_t begin = 0;
  std::size_t end = cells.size();
  if (window.is_cut_before || window.is_cut_after || width_of(cells) > kWidthMax) {
    std::size_t left = kWidthMax - 2 * kCut.size();
    const auto take = [&](std::size_t index, std::size_t least) {
      if (left < cells[index].width + least) return false;
      left -= cells[index].width;
      return true;
    };
    const std::size_t for_mark = left - kBefore;
    begin = end = mark;
    while (begin > 0 && take(begin - 1, for_mark)) --begin;
    while (end < cells.size() && take(end, 0)) ++end;
    while (begin > 0 && take(begin - 1, 0)) --begin;
  }
  const bool is_cut = begin > 0 || window.is_cut_before;
  if (length == 0) length = cells_of(window.after.substr(0, std::min(marked_size(window.after), kBytesMax))).size();
  Excerpt out;
  if (is_cut) out.line = kCut;
  for (const Cell& cell : cells.subspan(begin, end - begin)) out.line += cell.text;
  if (end < cells.size() || window.is_cut_after) out.line += kCut;
  out.caret = (is_cut ? kCut.size() : 0) + width_of(cells.subspan(begin, mark - begin));
  out.underline = std::max<std::size_t>(width_of(cells.subspan(mark, std::min(length, end - mark))), 1);
  return out;
}

}  // namespace rproxy::config
