#include "net/hosts_file.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>

namespace rproxy::net {
namespace {

constexpr std::size_t kFileMax = std::size_t{1024} * 1024;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

// The next word of the line, which loses it; empty at its end.
std::string_view take_name(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

std::string_view without_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::string read_file(const std::string& path) {
  std::string text;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4096> piece;
  while (text.size() < kFileMax && (file.read(piece.data(), piece.size()), file.gcount() > 0))
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

std::vector<IpAddress> find_host(std::string_view text, std::string_view name) {
  std::vector<IpAddress> found;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto address = IpAddress::parse(take_name(line));
    if (!address) continue;
    for (auto word = take_name(line); !word.empty(); word = take_name(line)) {
      if (is_same_name(word, without_dot(name))) found.push_back(*address);
    }
  }
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<IpAddress> find_host_in_file(const std::string& path, std::string_view name) {
  auto found = find_host(read_file(path), name);
  if (found.empty() && is_same_name(without_dot(name), "localhost"))
    found = {*IpAddress::parse("::1"), *IpAddress::parse("127.0.0.1")};
  return found;
}

}  // namespace rproxy::net
