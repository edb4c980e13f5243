// Structured Field Values (RFC 9651): what newer fields are written in. Only reading; a field that is not wholly well-formed is ignored
// as a whole, as the RFC has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rproxy::http::structured {

struct Token {
  std::string text;
  bool operator==(const Token&) const = default;
};
struct Bytes {
  std::string text;  // decoded
  bool operator==(const Bytes&) const = default;
};
struct Date {
  std::int64_t seconds = 0;
  bool operator==(const Date&) const = default;
};
struct Display {
  std::string text;  // decoded, UTF-8
  bool operator==(const Display&) const = default;
};
using Bare = std::variant<bool, std::int64_t, double, std::string, Token, Bytes, Date, Display>;
using Parameters = std::vector<std::pair<std::string, Bare>>;

struct Item {
  Bare value;
  Parameters parameters;
};
// A single item, or an inner list.
struct Member {
  std::vector<Item> items;
  bool is_list = false;
  Parameters parameters;  // of an inner list; an item has its own

  // Where it is an item.
  const Bare& value() const { return items.front().value; }
};
using List = std::vector<Member>;
// As they were written; of members of one name the last value counts, in the first's place.
using Dictionary = std::vector<std::pair<std::string, Member>>;

// Nothing where it is malformed.
std::optional<List> parse_list(std::string_view text);
std::optional<Dictionary> parse_dictionary(std::string_view text);

const Member* find(const Dictionary& dictionary, std::string_view key);

}  // namespace rproxy::http::structured
