#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// The parser asserts that a table's name begins well before it reports one that doesn't ("[$x]").
#define TOML_ASSERT(expr) static_assert(true)
#include "config/document.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "config/parseable.h"

namespace rproxy::config {
namespace {

Place place_of(const toml::source_region& region, const std::shared_ptr<const SourceFile>& file) {
  return {file, region.begin.line, region.begin.column};
}

Node convert(const toml::node& from, const std::shared_ptr<const SourceFile>& file) {
  Node node;
  node.at = place_of(from.source(), file);
  if (const auto* text = from.as_string()) {
    node.kind = Node::Kind::kString;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::kInteger;
    node.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    node.kind = Node::Kind::kFloat;
    node.real = real->get();
  } else if (const auto* flag = from.as_boolean()) {
    node.kind = Node::Kind::kBool;
    node.flag = flag->get();
  } else if (const auto* array = from.as_array()) {
    node.kind = Node::Kind::kArray;
    for (const auto& item : *array) node.items.push_back(convert(item, file));
  } else if (const auto* table = from.as_table()) {
    node.kind = Node::Kind::kTable;
    for (const auto& [key, value] : *table) {
      node.members.push_back({std::string(key.str()), place_of(key.source(), file), convert(value, file)});
    }
    // The library sorts by name; people read files from top to bottom.
    std::ranges::stable_sort(node.members, {}, [](const Member& m) { return std::pair(m.at.line, m.at.column); });
  } else {
    node.kind = Node::Kind::kDate;
  }
  return node;
}

}  // namespace

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kString:
      return "a string";
    case Node::Kind::kInteger:
      return "an integer";
    case Node::Kind::kFloat:
      return "a float";
    case Node::Kind::kBool:
      return "a boolean";
    case Node::Kind::kDate:
      return "a date or time";
    case Node::Kind::kArray:
      return "an array";
    case Node::Kind::kTable:
      return "a table";
  }
  return "";
}

namespace {

// What stands for a character beyond ASCII, by its number: distinct keys stay distinct.
constexpr std::size_t kStandInSize = 7;

std::string as_ascii(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character first = first_character(text);
    if (first.code < 0x80) {
      out += text[0];
    } else {
      out += fmt::format("u{:06x}", unsigned{first.code});
    }
    text.remove_prefix(first.size);
  }
  return out;
}

// Where a column of as_ascii(line) is in the line.
std::size_t column_in(std::string_view line, std::size_t ascii_column) {
  std::size_t column = 1;
  for (std::size_t left = ascii_column - 1; !line.empty() && left > 0; ++column) {
    const Character first = first_character(line);
    left -= std::min(left, first.code < 0x80 ? 1 : kStandInSize);
    line.remove_prefix(first.size);
  }
  return column;
}

// The parser's words about as_ascii(text), with the characters back in.
std::string with_characters(std::string_view message, std::string_view text) {
  std::string out(message);
  for (; !text.empty(); text.remove_prefix(first_character(text).size)) {
    const Character first = first_character(text);
    if (first.code < 0x80) continue;
    const std::string stand_in = as_ascii(text.substr(0, first.size));
    for (auto at = out.find(stand_in); at != std::string::npos; at = out.find(stand_in))
      out.replace(at, stand_in.size(), text.substr(0, first.size));
  }
  return out;
}

void report_error(const std::shared_ptr<const SourceFile>& file, const toml::parse_error& error,
                  std::vector<Diagnostic>& diagnostics) {
  const toml::source_position at = error.source().begin;
  const bool has_line = at.line >= 1 && at.line <= file->lines.size() && at.column >= 1;
  const std::string_view line = has_line ? std::string_view(file->lines[at.line - 1]) : "";
  report_syntax(
      file, {file->name, at.line, has_line ? column_in(line, at.column) : at.column},
      with_characters(error.description(), line),
      "the file is not valid TOML; values after = are strings in quotes, numbers, true, false, [arrays] or { tables }",
      diagnostics);
}

}  // namespace

// toml++ 3.3 runs into __builtin_unreachable at many characters beyond ASCII outside of strings, and in a text with faults only the parser
// itself knows where strings are. So it is asked about a text of ASCII first.
std::optional<Node> parse_document(std::shared_ptr<const SourceFile> file, const std::string& text,
                                   std::vector<Diagnostic>& diagnostics) {
  if (!is_parseable(file, text, diagnostics)) return std::nullopt;
  const std::string ascii = as_ascii(text);
  toml::parse_result parsed = toml::parse(ascii, file->name);
  if (parsed && ascii != text) parsed = toml::parse(text, file->name);
  if (parsed) return convert(parsed.table(), file);
  report_error(file, parsed.error(), diagnostics);
  return std::nullopt;
}

}  // namespace rproxy::config
