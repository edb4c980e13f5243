#include "sim/http2_text.h"

namespace rproxy::sim {
namespace {

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// "x-sum" as HTTP/1 scripts write it.
std::string capital(std::string name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if ((i == 0 || name[i - 1] == '-') && name[i] >= 'a' && name[i] <= 'z') name[i] = static_cast<char>(name[i] - 32);
  }
  return name;
}

}  // namespace

test::Lines lines_of(std::string_view text, bool with_start_line) {
  test::Lines lines;
  for (std::size_t at = with_start_line ? text.find("\r\n") + 2 : 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    const auto line = text.substr(at, end - at);
    const auto colon = line.find(':');
    lines.emplace_back(lower(std::string(line.substr(0, colon))), std::string(line.substr(colon + 2)));
    at = end + 2;
  }
  return lines;
}

std::string text_of(const test::Lines& lines) {
  std::string text;
  for (const auto& [name, value] : lines) {
    if (name[0] != ':') text.append(capital(name)).append(": ").append(value).append("\r\n");
  }
  return text;
}

bool is_of_http1(const std::pair<std::string, std::string>& line) {
  return line.first == "host" || line.first == "connection" || line.first == "transfer-encoding";
}

}  // namespace rproxy::sim
