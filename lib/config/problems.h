// Gathers diagnostics while a configuration is read.
#pragma once

#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/node.h"

namespace rproxy::config {

class Problems {
 public:
  void error(const char* id, const Place& at, std::string message, std::string remedy = {}) {
    add(id, Severity::kError, at, std::move(message), std::move(remedy));
  }
  void warning(const char* id, const Place& at, std::string message, std::string remedy = {}) {
    add(id, Severity::kWarning, at, std::move(message), std::move(remedy));
  }
  std::vector<Diagnostic>& list() { return list_; }

 private:
  void add(const char* id, Severity severity, const Place& at, std::string message, std::string remedy);

  std::vector<Diagnostic> list_;
};

}  // namespace rproxy::config
