// Which of a URL's answers fits a request: by the fields its Vary names (RFC 9111 4.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/fields.h"

namespace rproxy::cache {

// Of the request that an answer was made for: names in lower case and sorted, values normalised.
struct VaryField {
  std::string name;
  std::string value;
  std::string written;  // the value as one line, where it was one: most clients write it alike
  bool operator==(const VaryField& other) const { return name == other.name && value == other.value; }
};
using Variant = std::vector<VaryField>;

// Most names of a Vary that are looked at; an answer with more is not stored.
constexpr std::size_t kVaryNamesMax = 32;

// What the answer's Vary lines name; where that is more than kVaryNamesMax, not all of it. "*" among them matches nothing and is not for
// here.
std::vector<std::string> vary_names(const http::Fields& response);

// All lines of that name as one, without needless spaces; "," where they are empty, nothing where there are none. Lists of what is accepted
// are sorted and lower-cased, but for values of parameters: neither case nor order means anything there.
std::string normalized(const http::Fields& request, std::string_view name);

Variant variant_of(const std::vector<std::string>& names, const http::Fields& request);
bool matches(const Variant& variant, const http::Fields& request);

}  // namespace rproxy::cache
