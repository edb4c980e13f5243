#include "check/judge.h"

namespace rproxy::check {
namespace {

route::Router compile(const std::vector<route::Rule>& rules) {
  std::vector<route::RuleProblem> known;  // load() has told of them
  return {rules, known};
}

}  // namespace

Judge::Judge(const config::Config& config)
    : rules_(rules_of(config)), router_(compile(rules_)), explainer_(config, router_) {}

}  // namespace rproxy::check
