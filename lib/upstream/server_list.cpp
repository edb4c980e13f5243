#include "upstream/server_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace rproxy::upstream {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// The next word of the line, which loses it; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) {
  std::uint32_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

// Why the word is no setting; empty: it is one, and made.
std::string set(std::string_view word, balance::EndpointOptions& server) {
  constexpr std::uint32_t kAny = std::numeric_limits<std::int32_t>::max();
  struct Setting {
    std::string_view name;
    std::uint32_t balance::EndpointOptions::*member;
    std::uint32_t max;
  };
  constexpr Setting kSettings[] = {{"weight", &balance::EndpointOptions::weight, kWeightMax},
                                   {"priority", &balance::EndpointOptions::priority, kAny},
                                   {"max_connections", &balance::EndpointOptions::max_connections, kAny}};
  if (word == "backup") {
    server.priority = balance::kBackupPriority;
    return {};
  }
  const std::string_view name = word.substr(0, word.find('='));
  for (const Setting& setting : kSettings) {
    if (name != setting.name) continue;
    const auto number = parse_number(word.substr(std::min(name.size() + 1, word.size())), setting.max);
    if (!number) return fmt::format("{} is a whole number from 0 to {}: {}", name, setting.max, word);
    server.*setting.member = *number;
    return {};
  }
  return fmt::format("{} is none of weight=, priority=, max_connections= and backup", word);
}

// Why the line is no server; empty: it is one.
std::string parse_line(std::string_view line, balance::EndpointOptions& server) {
  const std::string_view word = take_word(line);
  const auto address = HostPort::parse(word);
  using Kind = HostPort::Kind;
  if (address && address->kind == Kind::kName)
    return fmt::format("{}: a name belongs into servers, not into a list", word);
  if (!address || address->kind == Kind::kAny || (address->kind == Kind::kIp && address->port == 0))
    return fmt::format("not an address such as 10.0.0.1:8001: {}", word);
  server.address = *address;
  for (auto next = take_word(line); !next.empty(); next = take_word(line)) {
    if (auto problem = set(next, server); !problem.empty()) return problem;
  }
  return {};
}

}  // namespace

Result<ServerList> parse_server_list(const std::string& path, std::string_view text) {
  ServerList servers;
  std::size_t number = 0;
  const auto bad = [&](std::string_view reason) {
    return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever,
                fmt::format("{}:{}: {}", path, std::max<std::size_t>(number, 1), reason));
  };
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return bad("the last line has no end: it may still be being written");
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    if (servers.size() == kListedServersMax) return bad(fmt::format("more than {} servers", kListedServersMax));
    balance::EndpointOptions server;
    if (const auto problem = parse_line(line, server); !problem.empty()) return bad(problem);
    servers.push_back(std::move(server));
  }
  if (servers.empty()) return bad("the list has no servers");
  return servers;
}

}  // namespace rproxy::upstream
