#include "check/lint.h"

#include <algorithm>

#include "check/lint_parts.h"

namespace rproxy::check {

const config::Node& match_node(const config::Node& route, const char* key) {
  const config::Node& match = *route.find("match");
  const config::Node* part = key != nullptr ? match.find(key) : nullptr;
  return part != nullptr ? *part : match;
}

std::string_view scheme_of(const config::Config& config) {
  const bool has_tls = std::ranges::any_of(config.listeners, [](const auto& each) { return each.tls.has_value(); });
  return has_tls ? "https" : "http";
}

std::vector<config::Diagnostic> lint(const config::Loaded& loaded) {
  config::Problems problems;
  lint_routes(loaded, problems);
  lint_redirects(loaded, problems);
  lint_upstreams(loaded, problems);
  lint_trust(loaded, problems);
  lint_certificates(loaded, problems);
  lint_cache(loaded, problems);
  lint_files(loaded, problems);
  config::sort_diagnostics(problems.list());
  return std::move(problems.list());
}

}  // namespace rproxy::check
