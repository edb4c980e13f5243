#include "limit/network_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include "base/utf8.h"

namespace rproxy::limit {
namespace {

using Severity = LineFinding::Severity;

constexpr std::string_view kLineBlanks = " \t\r";
constexpr std::size_t kQuotedMax = 60;

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kLineBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kLineBlanks) + 1);
}

// Whether it can be told to people and logs as it is.
bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const Character next = first_character(text);
    if (next.size == 0 || (next.code < 0x20 && next.code != '\t') || (next.code >= 0x7f && next.code < 0xa0))
      return false;
    text.remove_prefix(next.size);
  }
  return true;
}

std::string_view quoted_part(std::string_view word) {
  if (word.size() <= kQuotedMax) return word;
  std::size_t end = kQuotedMax;
  while (end > 0 && is_continuation(word[end])) --end;
  return word.substr(0, end);
}

// "255.255.0.0" is 16.
std::optional<int> prefix_of_netmask(std::string_view text) {
  const auto mask = IpAddress::parse(text);
  if (!mask || text.find(':') != std::string_view::npos) return std::nullopt;
  std::uint32_t bits = 0;
  for (std::size_t i = 12; i < 16; ++i) bits = bits << 8 | mask->bytes[i];
  const int ones = std::countl_one(bits);
  if (ones != std::popcount(bits) || ones == 0) return std::nullopt;
  return ones;
}

// "10", "10.1" and "10.1.2" with zeros for what is missing; empty: it is none of these.
std::string completed_quad(std::string_view text) {
  const auto dots = std::count(text.begin(), text.end(), '.');
  std::string out(text);
  if (out.ends_with('.')) out += '0';
  for (auto i = dots; i < 3; ++i) out += ".0";
  return IpAddress::parse(out) ? out : std::string();
}

// What is wrong with a length, after an address that is right.
std::string wrong_length(std::string_view address, std::string_view length) {
  const bool is_v6 = address.find(':') != std::string_view::npos;
  if (const auto prefix = prefix_of_netmask(length); prefix && !is_v6)
    return fmt::format("a network has a prefix length in place of a netmask: write {}/{}", address, *prefix);
  return fmt::format("the prefix length of {} is a number from 0 to {}: write it as in {}", address, is_v6 ? 128 : 32,
                     is_v6 ? "2001:db8::/32" : "192.0.2.0/24");
}

// Why the word is no network, and what to write. As precise as can be guessed of the usual ones.
std::string wrong_network(std::string_view word) {
  const std::string_view shown = quoted_part(word);
  const std::string_view address = word.substr(0, word.find('/'));
  if (word.ends_with(',') && IpNetwork::parse(word.substr(0, word.size() - 1)))
    return fmt::format("a network ends with a blank or the line: write {} without the comma",
                       word.substr(0, word.size() - 1));
  if (IpAddress::parse(address)) return wrong_length(address, word.substr(std::min(address.size() + 1, word.size())));
  if (const auto full = completed_quad(address); !full.empty() && address.size() < word.size() &&
                                                 IpNetwork::parse(full + std::string(word.substr(address.size()))))
    return fmt::format("{} is short of numbers: write {}{}", shown, full, word.substr(address.size()));
  if (const auto dash = word.find('-'); dash != std::string_view::npos && IpAddress::parse(word.substr(0, dash)))
    return fmt::format("{} is a range: write it as networks, such as {}/30, one a line", shown, word.substr(0, dash));
  if (const auto where = HostPort::parse(word); where && where->kind == HostPort::Kind::kIp)
    return fmt::format("{} has a port: write {} alone", shown, where->host);
  if (word.find('%') != std::string_view::npos && IpAddress::parse(word.substr(0, word.find('%'))))
    return fmt::format("{} has a zone: write {} alone", shown, word.substr(0, word.find('%')));
  if (word.size() > 2 && word.front() == '[' && IpAddress::parse(word.substr(1, word.find(']') - 1)))
    return fmt::format("{} has brackets: write {} alone", shown, word.substr(1, word.find(']') - 1));
  return fmt::format(
      "{} is no network: write an address or a network, such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32", shown);
}

class NetworkLines {
 public:
  NetworkLines(std::uint32_t value, NetworkSetBuilder& out) : value_(value), out_(out) {}

  void read(std::string_view line) {
    ++number_;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty() || line.front() == ';') return;
    if (line.size() > kNetworkLineMax)
      return tell(Severity::kError,
                  fmt::format("a line is at most {} bytes: write one network a line", kNetworkLineMax));
    if (!is_printable(line))
      return tell(Severity::kError, "the line is no UTF-8 text: write the file as plain text in UTF-8");
    const std::string_view word = line.substr(0, line.find_first_of(" \t;"));
    std::string_view rest = trimmed(line.substr(word.size()));
    while (rest.starts_with(';')) rest = trimmed(rest.substr(1));
    take(word, rest);
  }
  NetworkFileReading reading() && { return std::move(reading_); }

 private:
  void take(std::string_view word, std::string_view rest) {
    const auto network = IpNetwork::parse(word);
    if (!network) return tell(Severity::kError, wrong_network(word));
    const std::string_view second = rest.substr(0, rest.find_first_of(kLineBlanks));
    if (const auto prefix = prefix_of_netmask(second); prefix && word.find_first_of(":/") == std::string_view::npos)
      return tell(Severity::kError,
                  fmt::format("a network has a prefix length in place of a netmask: write {}/{}", word, *prefix));
    if (IpNetwork::parse(second))
      return tell(Severity::kError, fmt::format("there are two on the line: write {} on a line of its own", second));
    if (rest.size() > kNetworkTextMax)
      return tell(Severity::kError,
                  fmt::format("the text behind {} is longer than {} bytes: write less, or put a # before it", word,
                              kNetworkTextMax));
    if (!out_.add(*network, value_, rest, number_))
      return tell(Severity::kError, fmt::format("there are more than {} networks: write fewer", out_.size()));
    ++reading_.networks;
    if (!IpNetwork::parse(word, true)) {
      tell(Severity::kWarning,
           fmt::format("{} has bits behind its prefix and is taken for {}: write that, or {} for the one address", word,
                       network->to_string(), word.substr(0, word.find('/'))));
    }
  }

  void tell(Severity severity, std::string message) {
    ++(severity == Severity::kError ? reading_.errors : reading_.warnings);
    if (reading_.findings.size() < NetworkFileReading::kFindingsMax)
      reading_.findings.push_back({number_, severity, std::move(message)});
  }

  std::uint32_t value_;
  NetworkSetBuilder& out_;
  std::uint32_t number_ = 0;
  NetworkFileReading reading_;
};

}  // namespace

NetworkFileReading read_network_file(std::string_view text, std::uint32_t value, NetworkSetBuilder& out) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  NetworkLines lines(value, out);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.read(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(lines).reading();
}

}  // namespace rproxy::limit
