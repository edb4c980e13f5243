#include "config/problems.h"

#include <utility>

namespace rproxy::config {
namespace {

// The word, string or bracket that begins at `column`.
std::size_t length_at(const std::string& line, std::size_t column) {
  if (column == 0 || column > line.size()) return 1;
  const std::size_t begin = column - 1;
  const char first = line[begin];
  if (first == '"' || first == '\'') {
    const auto end = line.find(first, begin + 1);
    return end == std::string::npos ? line.size() - begin : end - begin + 1;
  }
  const auto end = line.find_first_of(" \t,]}=#", begin + 1);
  return (end == std::string::npos ? line.size() : end) - begin;
}

}  // namespace

void Problems::add(const char* id, Severity severity, const Place& at, std::string message, std::string remedy) {
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
