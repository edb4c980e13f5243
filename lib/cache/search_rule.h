// No-Vary-Search: which parts of a query an answer does not depend on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/fields.h"

namespace rproxy::cache {

struct SearchRule {
  bool ignores_order = false;
  bool ignores_all = false;        // but `names`; else only those are ignored
  std::vector<std::string> names;  // decoded
  bool operator==(const SearchRule&) const = default;

  // Nothing where the field is missing, malformed, or says nothing.
  static std::optional<SearchRule> of(const http::Fields& response);

  // What tells queries from each other: those for which this is the same want the same.
  std::string significant(std::string_view query) const;
};

}  // namespace rproxy::cache
