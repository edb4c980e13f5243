#include "config/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

#include "config/source.h"
#include "config/text.h"

namespace rproxy::config {
namespace {

constexpr const char* kSizeRemedy = "write 512, \"64KiB\", \"10MiB\"";

// A point in time this far ahead overflows no clock, in whatever unit it is counted.
constexpr Duration kDurationMax = std::chrono::hours(24 * 365);

// How to write what was meant.
std::string remedy_for(const Node& node, Node::Kind wanted) {
  using Kind = Node::Kind;
  const bool is_scalar = node.is(Kind::kInteger) || node.is(Kind::kFloat) || node.is(Kind::kBool);
  switch (wanted) {
    case Kind::kString:
      return is_scalar ? fmt::format("put it in quotes: \"{}\"", render_node(node)) : "one string in quotes";
    case Kind::kInteger:
      return "a whole number without quotes, such as 10";
    case Kind::kBool:
      return "true or false, without quotes";
    case Kind::kArray:
      return is_scalar || node.is(Kind::kString) ? fmt::format("put it in brackets: [{}]", shown(node))
                                                 : "values in brackets, with commas between";
    case Kind::kTable:
      return "{ name = value }";
    case Kind::kFloat:
    case Kind::kDate:
      break;
  }
  return {};
}

// Whether `text` would be fine with other digits: then its number is what is wrong.
template <typename T>
bool is_overflow(std::string_view text, std::optional<T> (*parse)(std::string_view)) {
  std::string smaller;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit || smaller.empty() || smaller.back() != '1') smaller += is_digit ? '1' : c;
  }
  return !parse(text) && parse(smaller);
}

}  // namespace

bool expect(Problems& problems, const Node& node, Node::Kind kind) {
  return expect(problems, node, kind, kind_name(kind));
}

bool expect(Problems& problems, const Node& node, Node::Kind kind, std::string_view wanted, std::string remedy) {
  if (node.is_broken) return false;
  if (node.is(kind)) return true;
  if (remedy.empty()) remedy = remedy_for(node, kind);
  problems.error("RP1003", node.at, fmt::format("{} is wanted here, not {}", wanted, kind_name(node.kind)),
                 std::move(remedy));
  return false;
}

void decode_value(Problems& problems, const Node& node, bool& out) {
  if (expect(problems, node, Node::Kind::kBool)) out = node.flag;
}

void decode_value(Problems& problems, const Node& node, std::string& out) {
  if (expect(problems, node, Node::Kind::kString)) out = node.text;
}

void decode_value(Problems& problems, const Node& node, Duration& out) {
  if (node.is(Node::Kind::kInteger) && node.integer == 0) {
    out = Duration{0};
    return;
  }
  if (!expect(problems, node, Node::Kind::kString, "a duration such as \"5s\"",
              "with its unit, in quotes: \"250ms\", \"5s\", \"1m30s\""))
    return;
  const auto parsed = parse_duration(node.text);
  if (parsed ? *parsed > kDurationMax : is_overflow(node.text, parse_duration)) {
    problems.error("RP1004", node.at, fmt::format("{} is too large", shown(node)),
                   "the longest duration is \"365d\"; \"0\" is no limit");
  } else if (parsed) {
    out = *parsed;
  } else {
    problems.error("RP1004", node.at, fmt::format("not a duration: {}", shown(node)),
                   "write \"250ms\", \"5s\", \"1m30s\" or \"0\" for no limit");
  }
}

std::optional<ByteSize> decode_size(Problems& problems, const Node& node, ByteSize min, ByteSize max) {
  std::optional<ByteSize> size;
  if (node.is(Node::Kind::kInteger)) {
    if (node.integer >= 0) size = ByteSize{static_cast<std::uint64_t>(node.integer)};
  } else if (!expect(problems, node, Node::Kind::kString, "a size such as \"64KiB\"", kSizeRemedy)) {
    return std::nullopt;
  } else {
    size = parse_byte_size(node.text);
    if (!size && !is_overflow(node.text, parse_byte_size)) {
      problems.error("RP1004", node.at, fmt::format("not a size: {}", shown(node)), kSizeRemedy);
      return std::nullopt;
    }
  }
  if (size && *size >= min && *size <= max) return size;
  problems.error("RP1004", node.at, fmt::format("{} is out of range", shown(node)),
                 max == kSizeMax && min.bytes > 0 ? fmt::format("the least is {}", to_string(min))
                                                  : fmt::format("it lies between {} and {}", to_string(min),
                                                                max == kSizeMax ? "8589934591GiB" : to_string(max)));
  return std::nullopt;
}

void decode_value(Problems& problems, const Node& node, ByteSize& out) {
  if (const auto size = decode_size(problems, node, ByteSize{0}, kSizeMax)) out = *size;
}

namespace {
std::string range_remedy(std::int64_t min, std::int64_t max) {
  return max == std::numeric_limits<std::int64_t>::max() ? fmt::format("the least is {}", min)
                                                         : fmt::format("it lies between {} and {}", min, max);
}
}  // namespace

std::optional<std::int64_t> decode_integer(Problems& problems, const Node& node, std::int64_t min, std::int64_t max) {
  std::int64_t value = node.integer;
  bool is_huge = false;
  if (node.is(Node::Kind::kString) && !node.raw.empty()) {
    // What comes out of the environment is always text.
    const char* end = node.text.data() + node.text.size();
    const auto read = std::from_chars(node.text.data(), end, value);
    if (read.ptr != end || node.text.empty()) {
      problems.error("RP1004", node.at, fmt::format("not an integer: {}", shown(node)), range_remedy(min, max));
      return std::nullopt;
    }
    is_huge = read.ec != std::errc();
  } else if (!expect(problems, node, Node::Kind::kInteger)) {
    return std::nullopt;
  }
  if (!is_huge && value >= min && value <= max) return value;
  problems.error("RP1004", node.at, fmt::format("{} is out of range", shown(node)), range_remedy(min, max));
  return std::nullopt;
}

namespace {
template <typename Integer>
void decode_bounded(Problems& problems, const Node& node, Integer& out) {
  constexpr std::uint64_t kMax =
      std::min<std::uint64_t>(std::numeric_limits<Integer>::max(), std::numeric_limits<std::int64_t>::max());
  if (const auto value = decode_integer(problems, node, 0, static_cast<std::int64_t>(kMax)))
    out = static_cast<Integer>(*value);
}
}  // namespace

void decode_value(Problems& problems, const Node& node, std::uint16_t& out) { decode_bounded(problems, node, out); }
void decode_value(Problems& problems, const Node& node, std::uint32_t& out) { decode_bounded(problems, node, out); }
void decode_value(Problems& problems, const Node& node, std::uint64_t& out) { decode_bounded(problems, node, out); }
void decode_value(Problems& problems, const Node& node, int& out) { decode_bounded(problems, node, out); }

int decode_word(Problems& problems, const Node& node, const std::vector<std::string>& words) {
  if (!expect(problems, node, Node::Kind::kString)) return -1;
  const auto found = std::ranges::find(words, node.text);
  if (found != words.end()) return static_cast<int>(found - words.begin());
  // A suggestion would tell what a secret is like.
  const std::string near = is_secret(node) ? std::string() : nearest_value(node.text, words);
  problems.error("RP1004", node.at, fmt::format("{} is not known here", shown(node)),
                 fmt::format("one of {}{}", fmt::join(words, ", "),
                             near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  return -1;
}

void decode_value(Problems& problems, const Node& node, LogLevel& out) {
  const int word = decode_word(problems, node, {kLogLevels.begin(), kLogLevels.end()});
  if (word >= 0) out = static_cast<LogLevel>(word);
}

void decode_value(Problems& problems, const Node& node, std::vector<std::string>& out) {
  out.clear();
  if (node.is(Node::Kind::kString)) {
    out.push_back(node.text);
    return;
  }
  if (!expect(problems, node, Node::Kind::kArray, "a string or an array of strings")) return;
  for (const Node& item : node.items) {
    if (expect(problems, item, Node::Kind::kString)) out.push_back(item.text);
  }
}

void decode_value(Problems& problems, const Node& node, std::vector<IpNetwork>& out) {
  out.clear();
  const auto add = [&](const Node& item) {
    if (!expect(problems, item, Node::Kind::kString)) return;
    const auto network = IpNetwork::parse(item.text, true);
    if (network) {
      out.push_back(*network);
    } else if (const auto loose = IpNetwork::parse(item.text)) {
      problems.error("RP1004", item.at, fmt::format("{} has bits set behind its prefix", shown(item)),
                     is_secret(item) ? std::string("zero them, or lengthen the prefix")
                                     : fmt::format("write \"{}\", or lengthen the prefix", loose->to_string()));
    } else {
      problems.error("RP1004", item.at, fmt::format("not a network: {}", shown(item)),
                     "write \"10.0.0.0/8\", \"2001:db8::/32\" or an address");
    }
  };
  if (node.is(Node::Kind::kString)) return add(node);
  if (!expect(problems, node, Node::Kind::kArray, "a network or an array of networks")) return;
  for (const Node& item : node.items) add(item);
}

void decode_file(Problems& problems, const Node& node, std::string& out) {
  if (expect(problems, node, Node::Kind::kString)) out = resolve_path(node.at, node.text);
}

std::string quote_toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string shown(const Node& node) {
  if (!node.is(Node::Kind::kString)) return cut_text(render_node(node));
  return quote_toml(cut_text(node.raw.empty() ? node.text : node.raw));
}

bool is_secret(const Node& node) { return !node.raw.empty() && node.raw != node.text; }

std::string quote_key(std::string_view key) {
  const auto is_bare = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
  return !key.empty() && std::ranges::all_of(key, is_bare) ? std::string(key) : quote_toml(key);
}

std::string render_value(bool value) { return value ? "true" : "false"; }
std::string render_value(const std::string& value) { return quote_toml(value); }
std::string render_value(Duration value) { return quote_toml(to_string(value)); }
std::string render_value(ByteSize value) { return quote_toml(to_string(value)); }
std::string render_value(std::uint64_t value) { return std::to_string(value); }

std::string render_value(LogLevel value) { return quote_toml(kLogLevels[static_cast<std::size_t>(value)]); }

std::string render_value(const std::vector<std::string>& value) {
  std::string out = "[";
  for (const auto& item : value) out += (out.size() > 1 ? ", " : "") + quote_toml(item);
  return out + "]";
}

std::string render_value(const std::vector<IpNetwork>& value) {
  std::vector<std::string> texts;
  for (const auto& network : value) texts.push_back(network.to_string());
  return render_value(texts);
}

std::string render_secret(const Node& node) { return is_secret(node) ? render_node(node) : quote_toml("<redacted>"); }

std::string render_node(const Node& node) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::kString:
      return quote_toml(node.raw.empty() ? node.text : node.raw);
    case Node::Kind::kInteger:
      return std::to_string(node.integer);
    case Node::Kind::kFloat:
      return fmt::format("{}", node.real);
    case Node::Kind::kBool:
      return render_value(node.flag);
    case Node::Kind::kDate:
      return "\"\"";
    case Node::Kind::kArray:
      for (const Node& item : node.items) out += (out.empty() ? "" : ", ") + render_node(item);
      return "[" + out + "]";
    case Node::Kind::kTable:
      for (const Member& member : node.members) {
        out += (out.empty() ? " " : ", ") + quote_key(member.key) + " = " +
               (is_secret_key(member.key) ? render_secret(member.value) : render_node(member.value));
      }
      return "{" + out + " }";
  }
  return out;
}

}  // namespace rproxy::config
