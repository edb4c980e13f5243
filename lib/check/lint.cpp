#include "check/lint.h"

#include "check/lint_parts.h"

namespace rproxy::check {

std::vector<config::Diagnostic> lint(const config::Loaded& loaded) {
  config::Problems problems;
  lint_upstreams(loaded, problems);
  config::sort_diagnostics(problems.list());
  return std::move(problems.list());
}

}  // namespace rproxy::check
