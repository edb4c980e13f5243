#include "check/report.h"

#include <fmt/format.h>

namespace rproxy::check {

std::string place_of(const config::Location& at) {
  return at.line == 0 ? at.file : fmt::format("{}:{}:{}", at.file, at.line, at.column);
}

}  // namespace rproxy::check
