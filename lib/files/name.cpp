#include "files/name.h"

#include <climits>

#include "http/characters.h"

namespace rproxy::files {
namespace {

// False: a broken escape, or a character that is no part of a name.
bool decode(std::string_view segment, std::string& out) {
  for (std::size_t i = 0; i < segment.size(); ++i) {
    char c = segment[i];
    if (c == '%') {
      if (segment.size() - i < 3) return false;
      const int high = http::hex_value(segment[i + 1]);
      const int low = http::hex_value(segment[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    }
    // Some read a backslash as a slash: whoever links to it can't rely on what it means.
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    out += c;
  }
  return true;
}

bool is_name(std::string_view segment, bool hidden) {
  if (segment.empty() || segment.size() > NAME_MAX || segment == "." || segment == "..") return false;
  return hidden || !is_hidden(segment);
}

}  // namespace

bool is_hidden(std::string_view segment) { return segment.starts_with('.') && segment != ".well-known"; }

std::optional<std::string> name_of(std::string_view path, bool hidden) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  std::string name;
  name.reserve(path.size());
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::size_t begin = name.size();
    if (!decode(path.substr(0, slash), name)) return std::nullopt;
    if (!is_name(std::string_view(name).substr(begin), hidden) || name.size() >= PATH_MAX) return std::nullopt;
    if (slash == std::string_view::npos) break;
    name += '/';
    path.remove_prefix(slash + 1);
  }
  return name;
}

std::string escaped(std::string_view name) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    if (http::is(c, http::kUnreservedChar)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace rproxy::files
