#include "config/problems.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/text.h"

namespace rproxy::config {
namespace {

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

// How many characters of the line are what begins at `column`: a string, a value in brackets or a word.
std::size_t length_at(std::string_view line, std::size_t column) {
  std::size_t begin = 0;
  for (std::size_t i = 1; i < column && begin < line.size(); ++i)
    begin += std::max<std::size_t>(first_character(line.substr(begin)).size, 1);
  const std::string_view text = line.substr(begin);
  if (text.empty()) return 1;
  const char first = text[0];
  std::size_t size = std::min(text.find_first_of(" \t,]}=#", 1), text.size());
  if (first == '"' || first == '\'') size = string_size(text);
  if (first == '[' || first == '{') size = brackets_size(text);
  return cells_of(text.substr(0, size)).size();
}

}  // namespace

void Problems::add(const char* id, Severity severity, const Place& at, std::string message, std::string remedy) {
  if (severity == Severity::kError) ++errors_;
  Diagnostic diagnostic;
  diagnostic.id = id;
  diagnostic.severity = severity;
  diagnostic.message = std::move(message);
  diagnostic.remedy = std::move(remedy);
  if (at.file) diagnostic.at = {at.file->name, at.line, at.column};
  if (at.file && at.line >= 1 && at.line <= at.file->lines.size()) {
    diagnostic.source_line = at.file->lines[at.line - 1];
    diagnostic.length = length_at(diagnostic.source_line, at.column);
  }
  list_.push_back(std::move(diagnostic));
}

}  // namespace rproxy::config
