#include "cache/vary.h"

#include <algorithm>

#include "http/characters.h"

namespace rproxy::cache {
namespace {

bool is_set_of_preferences(std::string_view name) {
  return name == "accept-encoding" || name == "accept-language" || name == "accept" || name == "accept-charset";
}

// Spaces around ';' and '=' mean nothing there, nor does case but in the values of parameters (RFC 9110 8.3.1).
std::string lowered_without_spaces(std::string_view element) {
  std::string out;
  bool is_value = false;
  bool quoted = false;
  bool escaped = false;
  for (const char c : element) {
    if (quoted) {
      out += c;
      quoted = escaped || c != '"';
      escaped = !escaped && c == '\\';
      continue;
    }
    quoted = c == '"';
    if (c == '=' || c == ';') is_value = c == '=';
    if (c != ' ' && c != '\t') out += is_value ? c : http::to_lower(c);
  }
  return out;
}

// Null where there are none or several.
const http::Field* only_line(const http::Fields& fields, std::string_view name) {
  const http::Field* found = nullptr;
  for (const auto& field : fields) {
    if (!http::equals_ignoring_case(field.name, name)) continue;
    if (found != nullptr) return nullptr;
    found = &field;
  }
  return found;
}

}  // namespace

std::vector<std::string> vary_names(const http::Fields& response) {
  std::vector<std::string> names;
  for (const auto& field : response) {
    if (field.id != http::FieldId::kVary) continue;
    http::for_each_element(field.value, [&](std::string_view name) {
      std::string lower(name);
      std::ranges::transform(lower, lower.begin(), http::to_lower);
      if (std::ranges::find(names, lower) == names.end()) names.push_back(std::move(lower));
      return names.size() <= kVaryNamesMax;
    });
  }
  std::ranges::sort(names);
  return names;
}

std::string normalized(const http::Fields& request, std::string_view name) {
  std::vector<std::string> elements;
  bool is_there = false;
  const bool is_set = is_set_of_preferences(name);
  for (const auto& field : request) {
    if (!http::equals_ignoring_case(field.name, name)) continue;
    is_there = true;
    http::for_each_element(field.value, [&](std::string_view element) {
      elements.push_back(is_set ? lowered_without_spaces(element) : std::string(element));
      return true;
    });
  }
  if (is_set) std::ranges::sort(elements);
  std::string out;
  for (const std::string& element : elements) {
    if (!out.empty()) out += ',';
    out += element;
  }
  // What is absent matches only what is absent, too (RFC 9111 4.1).
  if (is_there && out.empty()) out = ",";
  return out;
}

Variant variant_of(const std::vector<std::string>& names, const http::Fields& request) {
  Variant variant;
  for (const std::string& name : names) {
    const auto line = only_line(request, name);
    variant.push_back({name, normalized(request, name), line != nullptr ? std::string(line->value) : std::string()});
  }
  return variant;
}

bool matches(const Variant& variant, const http::Fields& request) {
  return std::ranges::all_of(variant, [&](const VaryField& field) {
    const auto line = only_line(request, field.name);
    if (line != nullptr && !line->value.empty() && line->value == field.written) return true;
    return normalized(request, field.name) == field.value;
  });
}

}  // namespace rproxy::cache
