#include <algorithm>
#include <optional>

#include "http/characters.h"
#include "route/predicate.h"
#include "route/regex_shape.h"
#include "route/region.h"

namespace rproxy::route {
namespace {

using Kind = ValueMatch::Kind;
using Value = std::optional<std::string>;

bool holds(const ValueMatch& asked, const Value& value) {
  switch (asked.kind) {
    case Kind::kPresent:
      return value.has_value();
    case Kind::kAbsent:
      return !value;
    case Kind::kExact:
      return value && *value == asked.value;
    case Kind::kPrefix:
      return value && value->starts_with(asked.value);
    case Kind::kRegex: {
      std::string ignored;
      const auto regex = compile_regex(asked.value, ignored);
      return value && regex != nullptr && re2::RE2::FullMatch(*value, *regex);
    }
  }
  return false;
}

bool is_in(const Asked<ValueMatch>& asked, const Value& value) {
  return std::ranges::all_of(asked.all_hold, [&](const ValueMatch* each) { return holds(*each, value); }) &&
         std::ranges::none_of(asked.none_holds, [&](const ValueMatch* each) { return holds(*each, value); });
}

// Whether a request can carry it there as it is. A query can carry anything, escaped.
bool can_be_sent(Region::Part part, const std::string& text) {
  if (part == Region::Part::kQuery) return true;
  if (text.starts_with(' ') || text.ends_with(' ')) return false;
  constexpr std::string_view kNotInCookies = " \",;\\";
  return std::ranges::all_of(text, [&](char c) {
    return c >= ' ' && c < '\x7f' && (part == Region::Part::kHeader || kNotInCookies.find(c) == std::string_view::npos);
  });
}

// The header's meaning is another part's, or the message's framing.
bool is_special(Region::Part part, const std::string& name) {
  if (part != Region::Part::kHeader) return false;
  switch (http::field_id(name)) {
    case http::FieldId::kHost:
    case http::FieldId::kCookie:
    case http::FieldId::kContentLength:
    case http::FieldId::kTransferEncoding:
    case http::FieldId::kConnection:
      return true;
    default:
      return false;
  }
}

std::vector<std::string> candidates(const Asked<ValueMatch>& asked) {
  std::vector<std::string> all;
  std::string prefix;
  for (const ValueMatch* each : asked.all_hold) {
    if (each->kind == Kind::kExact) all.push_back(each->value);
    if (each->kind == Kind::kRegex) std::ranges::move(guess_examples(each->value), std::back_inserter(all));
    if (each->kind == Kind::kPrefix && each->value.size() > prefix.size()) prefix = each->value;
  }
  if (!prefix.empty()) all.push_back(prefix);
  for (const char c : std::string_view("1xyzabcdefghijklmnopqrstuvw023456789-_~ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    all.push_back(prefix + c);
  if (prefix.empty()) all.emplace_back();
  return all;
}

// Whether what is asked contradicts itself, for certain.
bool is_impossible(const Asked<ValueMatch>& asked) {
  bool needs_value = false;
  bool needs_none = false;
  const std::string* exact = nullptr;
  std::string prefix;
  for (const ValueMatch* each : asked.all_hold) {
    (each->kind == Kind::kAbsent ? needs_none : needs_value) = true;
    if (each->kind == Kind::kExact) exact = &each->value;
    if (each->kind == Kind::kPrefix && each->value.size() > prefix.size()) prefix = each->value;
    const bool is_excluded = std::ranges::any_of(asked.none_holds, [&](const ValueMatch* other) {
      return other->kind == each->kind && other->value == each->value;
    });
    if (is_excluded) return true;
  }
  for (const ValueMatch* each : asked.none_holds) {
    needs_value = needs_value || each->kind == Kind::kAbsent;
    needs_none = needs_none || each->kind == Kind::kPresent;
  }
  if (needs_value && needs_none) return true;
  const bool is_prefix_excluded = std::ranges::any_of(asked.none_holds, [&](const ValueMatch* each) {
    return each->kind == Kind::kPrefix && prefix.starts_with(each->value);
  });
  if (needs_value && is_prefix_excluded) return true;
  if (exact != nullptr) return !is_in(asked, *exact);
  return std::ranges::any_of(asked.all_hold, [&](const ValueMatch* each) {
    return each->kind == Kind::kPrefix && !prefix.starts_with(each->value);
  });
}

}  // namespace

Found find_value(Region::Part part, const Asked<ValueMatch>& asked, std::optional<std::string>& out) {
  const ValueMatch& any = asked.all_hold.empty() ? *asked.none_holds.front() : *asked.all_hold.front();
  if (is_special(part, any.name)) return Found::kUnknown;
  out.reset();
  if (is_in(asked, out)) return Found::kExample;
  if (is_impossible(asked)) return Found::kNone;
  for (std::string& text : candidates(asked)) {
    if (!can_be_sent(part, text) || !is_in(asked, text)) continue;
    out = std::move(text);
    return Found::kExample;
  }
  return Found::kUnknown;
}

}  // namespace rproxy::route
