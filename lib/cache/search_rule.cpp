#include "cache/search_rule.h"

#include <algorithm>

#include "http/query.h"
#include "http/structured.h"

namespace rproxy::cache {
namespace {

namespace structured = http::structured;

// Strings of an inner list; nothing where it is something else.
std::optional<std::vector<std::string>> strings_of(const structured::Member& member) {
  if (!member.is_list) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& item : member.items) {
    const auto* name = std::get_if<std::string>(&item.value);
    if (name == nullptr) return std::nullopt;
    names.push_back(*name);
  }
  return names;
}

std::optional<bool> flag_of(const structured::Member& member) {
  if (member.is_list) return std::nullopt;
  const auto* flag = std::get_if<bool>(&member.value());
  return flag != nullptr ? std::optional(*flag) : std::nullopt;
}

std::string_view parameter_name(std::string_view parameter) { return parameter.substr(0, parameter.find('=')); }

}  // namespace

std::optional<SearchRule> SearchRule::of(const http::Fields& response) {
  if (!response.has(http::FieldId::kNoVarySearch)) return std::nullopt;
  const auto dictionary = structured::parse_dictionary(http::joined(response, http::FieldId::kNoVarySearch));
  if (!dictionary) return std::nullopt;
  SearchRule rule;
  if (const auto* order = structured::find(*dictionary, "key-order")) {
    const auto flag = flag_of(*order);
    if (!flag) return std::nullopt;
    rule.ignores_order = *flag;
  }
  if (const auto* params = structured::find(*dictionary, "params")) {
    if (const auto flag = flag_of(*params)) {
      rule.ignores_all = *flag;
    } else if (auto names = strings_of(*params)) {
      rule.names = std::move(*names);
    } else {
      return std::nullopt;
    }
  }
  if (const auto* except = structured::find(*dictionary, "except")) {
    auto names = strings_of(*except);
    // It is an exception from "all".
    if (!names || !rule.ignores_all) return std::nullopt;
    rule.names = std::move(*names);
  }
  if (rule == SearchRule()) return std::nullopt;
  return rule;
}

std::string SearchRule::significant(std::string_view query) const {
  std::vector<std::string_view> kept;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const bool is_named = std::ranges::any_of(
        names, [&](const std::string& name) { return http::decodes_to(parameter_name(parameter), name); });
    if (is_named == ignores_all) kept.push_back(parameter);
  }
  // Those of one name stay in their order.
  if (ignores_order) std::ranges::stable_sort(kept, {}, parameter_name);
  std::string text;
  for (const auto parameter : kept) {
    if (!text.empty()) text += '&';
    text += parameter;
  }
  return text;
}

}  // namespace rproxy::cache
