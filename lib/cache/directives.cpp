#include "cache/directives.h"

#include <algorithm>

#include "http/characters.h"
#include "http/structured.h"

namespace rproxy::cache {
namespace {

using http::equals_ignoring_case;
using http::FieldId;

struct Directive {
  std::string_view name;
  std::optional<std::string_view> argument;
};

template <typename Visit>
void for_each_directive(const http::Fields& fields, FieldId id, Visit visit) {
  for (const auto& field : fields) {
    if (field.id != id) continue;
    http::for_each_element(field.value, [&](std::string_view element) {
      const auto equals = element.find('=');
      if (equals == std::string_view::npos) {
        visit(Directive{element, std::nullopt});
      } else {
        visit(Directive{http::trim(element.substr(0, equals)), element.substr(equals + 1)});
      }
      return true;
    });
  }
}

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

void shorten(std::optional<std::int64_t>& time, const std::optional<std::string_view>& argument) {
  const std::int64_t seconds = argument ? parse_seconds(*argument).value_or(0) : 0;
  time = std::min(time.value_or(kSecondsMax), seconds);
}

void read_no_cache(ResponseDirectives& out, const std::optional<std::string_view>& argument) {
  const std::size_t before = out.no_cache_fields.size();
  if (argument) {
    http::for_each_element(unquote(*argument), [&](std::string_view name) {
      if (http::is_token(name)) out.no_cache_fields.emplace_back(name);
      return true;
    });
  }
  if (out.no_cache_fields.size() == before) out.no_cache = true;
}

void read_response_directive(ResponseDirectives& out, const Directive& directive) {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(directive.name, name); };
  if (is("max-age")) {
    shorten(out.max_age, directive.argument);
  } else if (is("s-maxage")) {
    shorten(out.s_maxage, directive.argument);
  } else if (is("stale-while-revalidate")) {
    shorten(out.stale_while_revalidate, directive.argument);
  } else if (is("stale-if-error")) {
    shorten(out.stale_if_error, directive.argument);
  } else if (is("no-cache")) {
    read_no_cache(out, directive.argument);
  } else if (is("no-store")) {
    out.no_store = true;
  } else if (is("private")) {
    out.is_private = true;
  } else if (is("public")) {
    out.is_public = true;
  } else if (is("must-revalidate")) {
    out.must_revalidate = true;
  } else if (is("proxy-revalidate")) {
    out.proxy_revalidate = true;
  } else if (is("must-understand")) {
    out.must_understand = true;
  }
}

// RFC 9213 2.1: the same directives as a Dictionary; ignored where it is malformed or says nothing.
std::optional<ResponseDirectives> targeted(const http::Fields& fields) {
  if (!fields.has(FieldId::kCdnCacheControl)) return std::nullopt;
  const auto dictionary = http::structured::parse_dictionary(http::joined(fields, FieldId::kCdnCacheControl));
  if (!dictionary || dictionary->empty()) return std::nullopt;
  ResponseDirectives out;
  out.is_targeted = true;
  for (const auto& [name, member] : *dictionary) {
    if (member.is_list) continue;
    const auto& value = member.value();
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      const std::string text = std::to_string(std::max<std::int64_t>(*number, 0));
      read_response_directive(out, {name, text});
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      if (*flag) read_response_directive(out, {name, std::nullopt});
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      // Times are integers there: in another type they don't count.
      if (name == "no-cache" || name == "private") read_response_directive(out, {name, *text});
    }
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  text = unquote(text);
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + (c - '0'), kSecondsMax);
  }
  return value;
}

RequestDirectives RequestDirectives::of(const http::Fields& fields) {
  RequestDirectives out;
  bool has_control = false;
  for_each_directive(fields, FieldId::kCacheControl, [&](const Directive& directive) {
    has_control = true;
    const auto is = [&](std::string_view name) { return equals_ignoring_case(directive.name, name); };
    if (is("no-cache")) {
      out.no_cache = true;
    } else if (is("no-store")) {
      out.no_store = true;
    } else if (is("only-if-cached")) {
      out.only_if_cached = true;
    } else if (is("max-age")) {
      shorten(out.max_age, directive.argument);
    } else if (is("stale-if-error")) {
      shorten(out.stale_if_error, directive.argument);
    } else if (is("min-fresh")) {
      out.min_fresh = directive.argument ? parse_seconds(*directive.argument) : std::nullopt;
    } else if (is("max-stale")) {
      out.max_stale = directive.argument ? parse_seconds(*directive.argument).value_or(0) : kSecondsMax;
    }
  });
  if (!has_control && fields.has(FieldId::kPragma)) {
    for_each_directive(fields, FieldId::kPragma, [&](const Directive& directive) {
      out.no_cache = out.no_cache || equals_ignoring_case(directive.name, "no-cache");
    });
  }
  return out;
}

ResponseDirectives ResponseDirectives::of(const http::Fields& fields) {
  if (auto out = targeted(fields)) return std::move(*out);
  ResponseDirectives out;
  for_each_directive(fields, FieldId::kCacheControl,
                     [&](const Directive& directive) { read_response_directive(out, directive); });
  return out;
}

}  // namespace rproxy::cache
