#include "http/media_types.h"

#include <algorithm>
#include <array>

#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::http {
namespace {

// XML, JSON and YAML come by suffix, SVG and the feeds with them.
constexpr std::array<std::string_view, 35> kCompressible{
    "text/*",
    "*+json",
    "*+xml",
    "*+yaml",
    "*+json-seq",
    "application/json",
    "application/json-seq",
    "application/ndjson",
    "application/x-ndjson",
    "application/jsonl",
    "application/json5",
    "application/javascript",
    "application/ecmascript",
    "application/x-javascript",
    "application/typescript",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/graphql",
    "application/sql",
    "application/rtf",
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "application/wasm",
    "application/vnd.ms-fontobject",
    "application/x-font-ttf",
    "application/x-font-opentype",
    "font/ttf",
    "font/otf",
    "font/collection",
    "image/x-icon",
    "image/vnd.microsoft.icon",
    "image/bmp",
};

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

// "application/*+json" is about the type's suffix and, but for "*", what is before the slash.
bool covers(std::string_view pattern, std::string_view type, std::size_t slash) {
  const auto pattern_slash = pattern.find('/');
  const auto subtype = type.substr(slash + 1);
  auto wanted = pattern;
  if (pattern_slash != std::string_view::npos) {
    const auto top = pattern.substr(0, pattern_slash);
    if (top != "*" && !equals_ignoring_case(top, type.substr(0, slash))) return false;
    wanted = pattern.substr(pattern_slash + 1);
  }
  if (!wanted.starts_with('*')) return equals_ignoring_case(wanted, subtype);
  const auto suffix = wanted.substr(1);
  return suffix.empty() || (subtype.size() > suffix.size() && ends_with_ignoring_case(subtype, suffix));
}

}  // namespace

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

bool is_media_pattern(std::string_view pattern) {
  const auto slash = pattern.find('/');
  const auto has_top = slash != std::string_view::npos;
  const auto top = has_top ? pattern.substr(0, slash) : std::string_view("*");
  const auto rest = has_top ? pattern.substr(slash + 1) : pattern;
  if (!is_token(top) || (top != "*" && top.find('*') != std::string_view::npos)) return false;
  if (rest == "*") return has_top;
  if (!rest.starts_with('*')) return top != "*" && is_token(rest) && rest.find('*') == std::string_view::npos;
  const auto suffix = rest.substr(1);
  return suffix.size() > 1 && suffix[0] == '+' && is_token(suffix) && suffix.find('*') == std::string_view::npos;
}

MediaTypes::MediaTypes(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
  std::erase_if(patterns_, [](const std::string& pattern) { return !is_media_pattern(pattern); });
  for (std::string& pattern : patterns_) std::transform(pattern.begin(), pattern.end(), pattern.begin(), to_lower);
}

MediaTypes MediaTypes::compressible() { return MediaTypes({kCompressible.begin(), kCompressible.end()}); }

bool MediaTypes::match(std::string_view content_type) const {
  const auto type = media_type(content_type);
  const auto slash = type.find('/');
  if (slash == std::string_view::npos) return false;
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [type, slash](const std::string& pattern) { return covers(pattern, type, slash); });
}

}  // namespace rproxy::http
