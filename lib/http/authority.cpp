#include "http/authority.h"

#include <algorithm>

#include "base/address.h"
#include "http/characters.h"

namespace rproxy::http {
namespace {

constexpr std::size_t kHostMax = 255;  // RFC 1035 2.3.4

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kHostMax || text.front() == '.' || text.front() == '-') return false;
  char previous = '\0';
  for (const char c : text) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && c != '-' && c != '_' && c != '.') return false;
    if (c == '.' && previous == '.') return false;
    previous = c;
  }
  return true;
}

bool parse_port(std::string_view text, std::optional<std::uint16_t>& port) {
  // RFC 3986 3.2.3 allows "host:" without digits.
  if (text.empty()) return true;
  if (text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 65535) return false;
  port = static_cast<std::uint16_t>(value);
  return true;
}

}  // namespace

bool parse_authority(std::string_view text, Authority& authority) {
  authority = {};
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return false;
    const auto ip = IpAddress::parse(text.substr(1, end - 1));
    if (!ip || text.substr(1, end - 1).find(':') == std::string_view::npos) return false;
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    if (!is_name(text.substr(0, end))) return false;
  }
  authority.host = text.substr(0, end);
  if (end == text.size()) return true;
  return text[end] == ':' && parse_port(text.substr(end + 1), authority.port);
}

}  // namespace rproxy::http
