// Gathers diagnostics while a configuration is read.
#pragma once

#include <cstddef>
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
  // How many there are by now, to see whether something brought new ones.
  std::size_t errors() const { return errors_; }

  // A file made to have mistakes may have millions: no more errors are listed.
  bool is_full() const { return errors_ >= kListedMax; }

  // A part of the configuration could not be read: that something is missing means nothing then.
  void set_incomplete() { is_incomplete_ = true; }
  bool is_incomplete() const { return is_incomplete_; }

 private:
  void add(const char* id, Severity severity, const Place& at, std::string message, std::string remedy);

  static constexpr std::size_t kListedMax = 10'000;
  std::vector<Diagnostic> list_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  bool is_incomplete_ = false;
};

}  // namespace rproxy::config
