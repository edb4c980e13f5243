#include "cache/key.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "http/characters.h"
#include "http/cookie.h"
#include "http/query.h"

namespace rproxy::cache {
namespace {

std::string_view name_of(std::string_view parameter) { return parameter.substr(0, parameter.find('=')); }

std::vector<std::string_view> split(std::string_view query) {
  std::vector<std::string_view> parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    if (end != 0) parameters.push_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return parameters;
}

bool lists(const std::vector<std::string>& names, std::string_view encoded) {
  return std::ranges::any_of(names, [&](const std::string& name) { return http::decodes_to(encoded, name); });
}

// What could be taken for the text around it is escaped.
void append_escaped(std::string& out, std::string_view value) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '%' && c != ':') {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char* const digits = text.data() + i + 1;
    unsigned byte = 0;
    const bool is_escape =
        text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    out += is_escape ? static_cast<char>(byte) : text[i];
    if (is_escape) i += 2;
  }
  return out;
}

void append_headers(std::string& out, const KeyOptions& options, const http::Fields& fields) {
  for (const std::string& name : options.headers) {
    out += ' ';
    std::ranges::transform(name, std::back_inserter(out), http::to_lower);
    for (const auto& field : fields) {
      if (!http::equals_ignoring_case(field.name, name)) continue;
      out += ':';
      append_escaped(out, field.value);
    }
  }
}

void append_cookies(std::string& out, const KeyOptions& options, const http::Fields& fields) {
  for (const std::string& name : options.cookies) {
    out += " cookie:";
    append_escaped(out, name);
    if (const auto value = http::find_cookie(fields, name)) {
      out += '=';
      append_escaped(out, *value);
    }
  }
}

}  // namespace

std::string_view keyed_authority(std::string_view scheme, std::string_view authority, Arena& arena) {
  const std::string_view standard = scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(standard)) authority.remove_suffix(standard.size());
  if (std::ranges::all_of(authority, [](char c) { return c == http::to_lower(c); })) return authority;
  char* const out = arena.allocate(authority.size());
  std::ranges::transform(authority, out, http::to_lower);
  return {out, authority.size()};
}

std::string_view keyed_query(const KeyOptions& options, std::string_view query, Arena& arena) {
  using Query = KeyOptions::Query;
  if (options.query == Query::kAll) return query;
  if (options.query == Query::kNone) return {};
  auto parameters = split(query);
  if (options.query != Query::kSorted) {
    const bool keeps = options.query == Query::kOnly;
    std::erase_if(parameters, [&](std::string_view each) { return lists(options.parameters, name_of(each)) != keeps; });
  }
  // Of one name the order counts.
  std::ranges::stable_sort(parameters, {}, name_of);
  std::string text;
  for (const auto parameter : parameters) {
    if (!text.empty()) text += '&';
    text += parameter;
  }
  return arena.copy(text);
}

Key make_key(std::string_view scope, const KeyOptions& options, const http::RequestHead& request,
             std::string_view authority, std::string_view path, Arena& arena) {
  const std::string_view query = keyed_query(options, request.query, arena);
  const bool has_query = options.query == KeyOptions::Query::kAll ? request.has_query : !query.empty();
  const std::string_view host = options.host ? keyed_authority(request.scheme, authority, arena) : std::string_view();
  std::string extras;
  append_headers(extras, options, request.fields);
  append_cookies(extras, options, request.fields);
  Key key;
  key.text = arena.concat({scope, " ", options.scheme ? request.scheme : "", options.scheme ? "://" : "//", host, path,
                           has_query ? "?" : "", query});
  key.extras = arena.copy(extras);
  key.digest = Digest::of(key.text);
  return key;
}

KeyOptions options_in(std::string_view extras) {
  constexpr std::string_view kCookie = "cookie:";
  KeyOptions options;
  while (!extras.empty()) {
    extras.remove_prefix(1);
    std::string_view word = extras.substr(0, extras.find(' '));
    extras.remove_prefix(word.size());
    if (word.starts_with(kCookie)) {
      word.remove_prefix(kCookie.size());
      options.cookies.push_back(unescaped(word.substr(0, word.find('='))));
    } else {
      options.headers.emplace_back(word.substr(0, word.find(':')));
    }
  }
  return options;
}

std::string_view url_of(std::string_view key_text) { return key_text.substr(key_text.find(' ') + 1); }

std::string_view scope_of(std::string_view key_text) { return key_text.substr(0, key_text.find(' ')); }

}  // namespace rproxy::cache
