// One definition per configuration key: it decodes, renders, documents and completes. A table of keys is the whole knowledge about one
// TOML table.
#pragma once

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
};

template <typename T>
using Keys = std::span<const Key<T>>;

template <typename T, typename V>
T class_of(V T::*);

template <auto... Members>
constexpr auto& reach(auto& from) {
  return (from.*....*Members);
}

// A key whose value is a member, named by the members that lead to it: key<&Outer::inner, &Inner::value>(...).
template <auto First, auto... Rest>
constexpr auto key(std::string_view name, std::string_view meaning) {
  using T = decltype(class_of(First));
  using Value = std::remove_cvref_t<decltype(reach<First, Rest...>(std::declval<T&>()))>;
  return Key<T>{
      name, value_type<Value>(), meaning,
      [](Problems& problems, const Node& node, T& out) { decode_value(problems, node, reach<First, Rest...>(out)); },
      [](const T& from) { return render_value(reach<First, Rest...>(from)); }};
}

// The same for an integer, and for a size, within bounds.
template <std::int64_t Min, std::int64_t Max, auto First, auto... Rest>
constexpr auto ranged(std::string_view name, std::string_view meaning) {
  auto made = key<First, Rest...>(name, meaning);
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
  made.decode = [](Problems& problems, const Node& node, decltype(class_of(First))& out) {
    if (const auto got = decode_size(problems, node, ByteSize{Min}, ByteSize{Max})) reach<First, Rest...>(out) = *got;
  };
  return made;
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
