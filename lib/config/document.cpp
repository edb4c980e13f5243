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

// The size of the character that begins `text`, 0 where there is none or TOML forbids it.
std::size_t character_size(std::string_view text) {
  const Character first = first_character(text);
  const bool is_control =
      (first.code < 0x20 && first.code != '\t' && first.code != '\n' && first.code != '\r') || first.code == 0x7f;
  return is_control ? 0 : first.size;
}

void report(const std::shared_ptr<const SourceFile>& file, Location at, std::string message, std::string remedy,
            std::vector<Diagnostic>& diagnostics) {
  Diagnostic diagnostic;
  diagnostic.id = "RP1001";
  diagnostic.message = std::move(message);
  diagnostic.remedy = std::move(remedy);
  diagnostic.source = file;
  diagnostic.length = 1;
  diagnostic.at = std::move(at);
  diagnostics.push_back(std::move(diagnostic));
}

Location location_of(const SourceFile& file, std::string_view text, std::size_t offset) {
  Location at{file.name, 1, 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') at = {file.name, at.line + 1, 0};
    if (!is_continuation(c)) ++at.column;
  }
  return at;
}

// The parser is not asked what it makes of bytes that are no text.
bool is_text(const std::shared_ptr<const SourceFile>& file, std::string_view text,
             std::vector<Diagnostic>& diagnostics) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text.substr(at));
    if (size == 0) {
      report(file, location_of(*file, text, at), "a byte that is not text",
             "a configuration is UTF-8 without control characters", diagnostics);
      return false;
    }
    at += size;
  }
  return true;
}

// The string that `text` begins with, its quotes included. One that doesn't end is the parser's to report.
std::size_t string_size(std::string_view text) {
  const std::string quote(1, text[0]);
  const std::string block = quote + quote + quote;
  const bool is_block = text.starts_with(block);
  std::size_t at = is_block ? 3 : 1;
  while (at < text.size() && !text.substr(at).starts_with(is_block ? block : quote)) {
    if (!is_block && text[at] == '\n') return at;
    at += text[at] == '\\' && text[0] == '"' ? 2 : 1;
  }
  at += is_block ? 3 : 1;
  // A block may end in two quotes of its own before the three.
  for (int own = 0; is_block && own < 2 && at < text.size() && text[at] == text[0]; ++own) ++at;
  return std::min(at, text.size());
}

// The string or comment that begins at `at`; 0 where it is something else. A quote in the middle of a word begins none.
std::size_t free_text_size(std::string_view text, std::size_t at) {
  if (text[at] == '#') return std::min(text.find('\n', at), text.size()) - at;
  if (text[at] != '"' && text[at] != '\'') return 0;
  const bool is_inside = at > 0 && std::string_view(" \t\r\n=[]{},.\"'").find(text[at - 1]) == std::string_view::npos;
  return is_inside ? 0 : string_size(text.substr(at));
}

bool is_space_like(char32_t character) {
  return character == 0xa0 || (character >= 0x2000 && character <= 0x200b) || character == 0x202f ||
         character == 0x3000 || character == 0xfeff;
}

std::string remedy_for(char32_t character) {
  const bool is_quote = (character >= 0x2018 && character <= 0x201f) || character == 0xab || character == 0xbb;
  if (is_quote) return "straight quotes are wanted here: \"";
  return is_space_like(character) ? "it looks like a space and is none: delete it" : "put the key or value into quotes";
}

// Outside of strings and comments TOML is ASCII.
bool is_plain(const std::shared_ptr<const SourceFile>& file, std::string_view text,
              std::vector<Diagnostic>& diagnostics) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = free_text_size(text, at);
    if (size == 0 && static_cast<unsigned char>(text[at]) >= 0x80) {
      const Character character = first_character(text.substr(at));
      const std::string name = is_space_like(character.code) ? fmt::format("U+{:04X}", unsigned{character.code})
                                                             : std::string(text.substr(at, character.size));
      report(file, location_of(*file, text, at), name + " can't stand outside of quotes", remedy_for(character.code),
             diagnostics);
      return false;
    }
    at += std::max<std::size_t>(size, 1);
  }
  return true;
}

// The parser recurses for each part of a key and each bracket, and so do the trees it makes: neither may be as deep as the file likes.
bool is_shallow(const std::shared_ptr<const SourceFile>& file, std::string_view text,
                std::vector<Diagnostic>& diagnostics) {
  constexpr std::size_t kPartsMax = 64;
  constexpr std::size_t kBracketsMax = 32;
  std::size_t dots = 0;
  std::size_t brackets = 0;
  std::size_t begin = 0;  // of what may be a key
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t size = free_text_size(text, at); size > 0) {
      at += size;
      continue;
    }
    const char c = text[at++];
    if (c == '.') ++dots;
    if (c == '[' || c == '{') ++brackets;
    if ((c == ']' || c == '}') && brackets > 0) --brackets;
    if (dots >= kPartsMax) {
      report(file, location_of(*file, text, begin), fmt::format("a key of more than {} parts", kPartsMax),
             "no key of a configuration has more than 5; write a name that holds dots in quotes", diagnostics);
      return false;
    }
    if (brackets > kBracketsMax) {
      report(file, location_of(*file, text, at - 1),
             fmt::format("more than {} brackets inside each other", kBracketsMax),
             "no value of a configuration is that deep", diagnostics);
      return false;
    }
    if (std::string_view("=,[]{}\n").find(c) != std::string_view::npos) {
      dots = 0;
      begin = at;
    }
    if (begin + 1 == at && (c == ' ' || c == '\t')) begin = at;
  }
  return true;
}

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

void report_syntax(const std::shared_ptr<const SourceFile>& file, const toml::parse_error& error,
                   std::vector<Diagnostic>& diagnostics) {
  const toml::source_position at = error.source().begin;
  const bool has_line = at.line >= 1 && at.line <= file->lines.size() && at.column >= 1;
  const std::string_view line = has_line ? std::string_view(file->lines[at.line - 1]) : "";
  report(
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
  if (!is_text(file, text, diagnostics) || !is_plain(file, text, diagnostics) || !is_shallow(file, text, diagnostics)) {
    return std::nullopt;
  }
  const std::string ascii = as_ascii(text);
  toml::parse_result parsed = toml::parse(ascii, file->name);
  if (parsed && ascii != text) parsed = toml::parse(text, file->name);
  if (parsed) return convert(parsed.table(), file);
  report_syntax(file, parsed.error(), diagnostics);
  return std::nullopt;
}

}  // namespace rproxy::config
