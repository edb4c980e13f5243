// Whose certificate a route asks for.
#pragma once

#include "x509/name_rule.h"

namespace rproxy::filter {

struct ClientCertRule {
  bool is_needed = false;
  x509::NameRules allow;  // empty: any that the listener has taken
};

}  // namespace rproxy::filter
