// One definition per configuration key: it decodes, renders, documents and completes. A table of keys is the whole knowledge about one
// TOML table.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/node.h"
#include "config/problems.h"
#include "config/values.h"

namespace rproxy::config {

template <typename T>
struct Key {
  std::string_view name;
  std::string_view type;     // "duration", "size", "boolean"...
  std::string_view meaning;  // one line
  void (*decode)(Problems&, const Node&, T&);
  std::string (*render)(const T&);  // the value as TOML; null where only what the file says can be shown
  // What a schema can tell beside the type.
  std::optional<Bounds> bounds{};
  std::span<const char* const> words{};  // all that may stand there, as a string
};

template <typename T>
using Keys = std::span<const Key<T>>;

template <typename T, typename V>
T class_of(V T::*);

template <auto... Members>
constexpr auto& reach(auto& from) {
  return (from.*....*Members);
}

template <typename V>
constexpr std::optional<Bounds> bounds_of() {
  if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool>) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<V>::max());
    return Bounds{0, static_cast<std::int64_t>(std::min<std::uint64_t>(kMost, kIntegerMax))};
  } else {
    return std::nullopt;
  }
}

// A key whose value is a member, named by the members that lead to it: key<&Outer::inner, &Inner::value>(...).
template <auto First, auto... Rest>
constexpr auto key(std::string_view name, std::string_view meaning) {
  using T = decltype(class_of(First));
  using Value = std::remove_cvref_t<decltype(reach<First, Rest...>(std::declval<T&>()))>;
  return Key<T>{
      name,
      value_type<Value>(),
      meaning,
      [](Problems& problems, const Node& node, T& out) { decode_value(problems, node, reach<First, Rest...>(out)); },
      [](const T& from) { return render_value(reach<First, Rest...>(from)); },
      bounds_of<Value>()};
}

// The same for an integer, and for a size, within bounds.
template <std::int64_t Min, std::int64_t Max, auto First, auto... Rest>
constexpr auto ranged(std::string_view name, std::string_view meaning) {
  auto made = key<First, Rest...>(name, meaning);
  made.bounds = Bounds{Min, Max};
  made.decode = [](Problems& problems, const Node& node, decltype(class_of(First))& out) {
    auto& value = reach<First, Rest...>(out);
    if (const auto got = decode_integer(problems, node, Min, Max))
      value = static_cast<std::remove_cvref_t<decltype(value)>>(*got);
  };
  return made;
}

template <std::uint64_t Min, std::uint64_t Max, auto First, auto... Rest>
constexpr auto sized(std::string_view name, std::string_view meaning) {
  auto made = key<First, Rest...>(name, meaning);
  made.bounds = Bounds{static_cast<std::int64_t>(Min), static_cast<std::int64_t>(Max)};
  made.decode = [](Problems& problems, const Node& node, decltype(class_of(First))& out) {
    if (const auto got = decode_size(problems, node, ByteSize{Min}, ByteSize{Max})) reach<First, Rest...>(out) = *got;
  };
  return made;
}

// One of `Words`, an array of them in the order of the member's enumerators.
template <const auto& Words, auto First, auto... Rest>
constexpr auto one_of(std::string_view name, std::string_view meaning) {
  using T = decltype(class_of(First));
  return Key<T>{name,
                "string",
                meaning,
                [](Problems& problems, const Node& node, T& out) {
                  auto& value = reach<First, Rest...>(out);
                  const int word = decode_word(problems, node, {Words.begin(), Words.end()});
                  if (word >= 0) value = static_cast<std::remove_cvref_t<decltype(value)>>(word);
                },
                [](const T& from) { return quote_toml(Words[static_cast<std::size_t>(reach<First, Rest...>(from))]); },
                std::nullopt,
                Words};
}

// A time that is not 0.
template <auto Member>
constexpr auto lasting(std::string_view name, std::string_view meaning) {
  auto made = key<Member>(name, meaning);
  made.decode = [](Problems& problems, const Node& node, decltype(class_of(Member))& out) {
    Duration time = out.*Member;
    decode_value(problems, node, time);
    if (time.count() != 0) {
      out.*Member = time;
    } else {
      problems.error("RP1004", node.at, "it takes a time", "the least is \"1ms\"");
    }
  };
  return made;
}

// A key with a decoder of its own.
template <typename T>
constexpr Key<T> special(std::string_view name, std::string_view type, std::string_view meaning,
                         void (*decode)(Problems&, const Node&, T&)) {
  return {name, type, meaning, decode, nullptr};
}

// Such a key, with what its decoder holds the value to.
template <typename T>
constexpr Key<T> within(Bounds bounds, Key<T> key) {
  key.bounds = bounds;
  return key;
}
template <typename T>
constexpr Key<T> out_of(std::span<const char* const> words, Key<T> key) {
  key.words = words;
  return key;
}

std::vector<std::string> names_of(auto keys) {
  std::vector<std::string> names;
  for (const auto& key : keys) names.emplace_back(key.name);
  return names;
}

// Whether `table` has no `key`, nor one that is meant to be it and misspelt: that is reported as such.
bool lacks(const Node& table, const std::string& key, const std::vector<std::string>& known);

void report_unknown(Problems& problems, const Member& member, const std::string& table,
                    const std::vector<std::string>& known);

void report_no_table(Problems& problems, const Node& node, const std::string& name);

// Everything in `node` by the keys; what is not a key is reported with the nearest one. `name` is the table's, for messages.
template <typename T>
void decode_table(Problems& problems, const Node& node, const std::string& name, Keys<T> keys, T& out) {
  if (node.is_broken) return;
  if (!node.is(Node::Kind::kTable)) {
    report_no_table(problems, node, name);
    return;
  }
  for (const Member& member : node.members) {
    const Key<T>* found = nullptr;
    for (const Key<T>& key : keys) {
      if (key.name == member.key) found = &key;
    }
    if (found == nullptr) {
      report_unknown(problems, member, name, names_of(keys));
    } else if (!member.value.is_broken) {
      found->decode(problems, member.value, out);
    }
  }
}

}  // namespace rproxy::config
