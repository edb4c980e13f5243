// A configuration that is not served, with what it takes to say where its requests go.
#pragma once

#include <vector>

#include "check/explain.h"
#include "config/config.h"
#include "route/router.h"

namespace rproxy::check {

class Judge {
 public:
  // `config` has no errors, and outlives it.
  explicit Judge(const config::Config& config);

  const std::vector<route::Rule>& rules() const { return rules_; }
  const route::Router& router() const { return router_; }
  const Explainer& explainer() const { return explainer_; }

 private:
  std::vector<route::Rule> rules_;
  route::Router router_;
  Explainer explainer_;
};

}  // namespace rproxy::check
