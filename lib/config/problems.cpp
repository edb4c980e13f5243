#include "config/problems.h"

#include <utility>

namespace rproxy::config {

void Problems::add(const char* id, Severity severity, const Place& at, std::string message, std::string remedy) {
  // Each kind has a limit of its own: warnings must not hide that there is an error.
  if (++(severity == Severity::kError ? errors_ : warnings_) > kListedMax) return;
  Diagnostic diagnostic;
  diagnostic.id = id;
  diagnostic.severity = severity;
  diagnostic.message = std::move(message);
  diagnostic.remedy = std::move(remedy);
  if (at.file) diagnostic.at = {at.file->name, at.line, at.column};
  diagnostic.source = at.file;
  list_.push_back(std::move(diagnostic));
}

}  // namespace rproxy::config
