#include "http/query.h"

#include "http/characters.h"

namespace rproxy::http {
namespace {

// The character at `at`, which moves behind it.
char next_decoded(std::string_view text, std::size_t& at) {
  const char c = text[at++];
  if (c == '+') return ' ';
  if (c != '%' || text.size() - at < 2) return c;
  const int high = hex_value(text[at]);
  const int low = hex_value(text[at + 1]);
  if (high < 0 || low < 0) return c;
  at += 2;
  return static_cast<char>(high << 4 | low);
}

}  // namespace

bool decodes_to_prefix(std::string_view encoded, std::string_view plain) {
  std::size_t at = 0;
  for (const char c : plain) {
    if (at == encoded.size() || next_decoded(encoded, at) != c) return false;
  }
  return true;
}

bool decodes_to(std::string_view encoded, std::string_view plain) {
  std::size_t at = 0;
  for (const char c : plain) {
    if (at == encoded.size() || next_decoded(encoded, at) != c) return false;
  }
  return at == encoded.size();
}

std::optional<std::string_view> find_query(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    const auto equals = pair.find('=');
    if (!decodes_to(pair.substr(0, equals), name)) continue;
    return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
  }
  return std::nullopt;
}

std::string decode_query(std::string_view encoded) {
  std::string out;
  for (std::size_t at = 0; at < encoded.size();) out += next_decoded(encoded, at);
  return out;
}

}  // namespace rproxy::http
