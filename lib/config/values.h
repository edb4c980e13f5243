// The kinds of values that keys take, between TOML and C++.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/address.h"
#include "base/log.h"
#include "base/units.h"
#include "config/node.h"
#include "config/problems.h"

namespace rproxy::config {

constexpr std::int64_t kIntegerMax = std::numeric_limits<std::int64_t>::max();
constexpr ByteSize kSizeMax{std::numeric_limits<std::int64_t>::max()};

// The least and the most that an integer, or a size in bytes, may be.
struct Bounds {
  std::int64_t min = 0;
  std::int64_t max = kIntegerMax;
};

// RP1003; false when the node is of another kind, and silently when it is broken.
bool expect(Problems& problems, const Node& node, Node::Kind kind);
bool expect(Problems& problems, const Node& node, Node::Kind kind, std::string_view wanted, std::string remedy = {});

void decode_value(Problems& problems, const Node& node, bool& out);
void decode_value(Problems& problems, const Node& node, std::string& out);
void decode_value(Problems& problems, const Node& node, Duration& out);
void decode_value(Problems& problems, const Node& node, ByteSize& out);
void decode_value(Problems& problems, const Node& node, std::uint16_t& out);
void decode_value(Problems& problems, const Node& node, std::uint32_t& out);
void decode_value(Problems& problems, const Node& node, std::uint64_t& out);
void decode_value(Problems& problems, const Node& node, int& out);
void decode_value(Problems& problems, const Node& node, LogLevel& out);
// A string or an array of strings.
void decode_value(Problems& problems, const Node& node, std::vector<std::string>& out);
void decode_value(Problems& problems, const Node& node, std::vector<IpNetwork>& out);
void decode_file(Problems& problems, const Node& node, std::string& out);
// A size, and a whole number, within the bounds.
std::optional<ByteSize> decode_size(Problems& problems, const Node& node, ByteSize min, ByteSize max);
std::optional<std::int64_t> decode_integer(Problems& problems, const Node& node, std::int64_t min, std::int64_t max);
// One of `words`, by its place; -1 and an RP1004 otherwise.
int decode_word(Problems& problems, const Node& node, const std::vector<std::string>& words);

std::string render_value(bool value);
std::string render_value(const std::string& value);
std::string render_value(Duration value);
std::string render_value(ByteSize value);
std::string render_value(std::uint64_t value);
std::string render_value(LogLevel value);
std::string render_value(const std::vector<std::string>& value);
std::string render_value(const std::vector<IpNetwork>& value);
inline std::string render_value(std::uint16_t value) { return render_value(std::uint64_t{value}); }
inline std::string render_value(std::uint32_t value) { return render_value(std::uint64_t{value}); }
inline std::string render_value(int value) { return render_value(static_cast<std::uint64_t>(value)); }

std::string quote_toml(std::string_view text);
// A value as a message may show it: what came out of the environment or a file as ${...}, what is too long cut.
std::string shown(const Node& node);
// Whether part of the text came out of the environment or a file. What is told about it may not quote it.
bool is_secret(const Node& node);
// A key as TOML writes it: bare where it can be.
std::string quote_key(std::string_view key);
// Whether a value by that name is secret in whatever table.
constexpr bool is_secret_key(std::string_view key) { return key == "secret" || key == "token" || key == "hmac_key"; }
// A secret: written out it is no value of any text, for it would be another configuration that has it.
std::string render_secret(const Node& node);
// The node as written, ${...} unexpanded: secrets are not printed.
std::string render_node(const Node& node);

template <typename T>
constexpr std::string_view value_type() {
  if constexpr (std::is_same_v<T, bool>)
    return "boolean";
  else if constexpr (std::is_same_v<T, std::string>)
    return "string";
  else if constexpr (std::is_same_v<T, Duration>)
    return "duration";
  else if constexpr (std::is_same_v<T, ByteSize>)
    return "size";
  else if constexpr (std::is_same_v<T, LogLevel>)
    return "log level";
  else if constexpr (std::is_integral_v<T>)
    return "integer";
  else
    return "strings";
}

}  // namespace rproxy::config
