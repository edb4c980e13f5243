// Every diagnostic there is, in one line each; rproxy-diagnostics(7) has the rest.
#pragma once

#include <span>
#include <string_view>

#include "config/diagnostic.h"

namespace rproxy::check {

struct CatalogueEntry {
  std::string_view id;
  config::Severity severity;  // unless an option makes it another
  std::string_view title;
};

// By id.
std::span<const CatalogueEntry> catalogue();

}  // namespace rproxy::check
