#include "config/parseable.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace rproxy::config {
namespace {

// The size of the character that begins `text`, 0 where there is none or TOML forbids it.
std::size_t character_size(std::string_view text) {
  const Character first = first_character(text);
  const bool is_control =
      (first.code < 0x20 && first.code != '\t' && first.code != '\n' && first.code != '\r') || first.code == 0x7f;
  return is_control ? 0 : first.size;
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
      report_syntax(file, location_of(*file, text, at), "a byte that is not text",
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
      report_syntax(file, location_of(*file, text, at), name + " can't stand outside of quotes",
                    remedy_for(character.code), diagnostics);
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
      report_syntax(file, location_of(*file, text, begin), fmt::format("a key of more than {} parts", kPartsMax),
                    "no key of a configuration has more than 5; write a name that holds dots in quotes", diagnostics);
      return false;
    }
    if (brackets > kBracketsMax) {
      report_syntax(file, location_of(*file, text, at - 1),
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

}  // namespace

void report_syntax(const std::shared_ptr<const SourceFile>& file, Location at, std::string message, std::string remedy,
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

bool is_parseable(const std::shared_ptr<const SourceFile>& file, std::string_view text,
                  std::vector<Diagnostic>& diagnostics) {
  return is_text(file, text, diagnostics) && is_plain(file, text, diagnostics) && is_shallow(file, text, diagnostics);
}

}  // namespace rproxy::config
