// Every diagnostic there is, in one line each; rproxy-diagnostics(7) has the rest.
#pragma once

#include <span>
#include <string_view>

namespace rproxy::check {

struct CatalogueEntry {
  std::string_view id;
  std::string_view title;
};

// By id.
std::span<const CatalogueEntry> catalogue();

}  // namespace rproxy::check
