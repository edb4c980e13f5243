// A parsed configuration before it means anything: values, each with its place in a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rproxy::config {

// One file's text, for showing lines.
struct SourceFile {
  std::string name;       // as the user would write it
  std::string directory;  // what relative paths in it are relative to
  std::vector<std::string> lines;
};

struct Place {
  std::shared_ptr<const SourceFile> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct Member;

struct Node {
  enum class Kind : std::uint8_t { kString, kInteger, kFloat, kBool, kDate, kArray, kTable };
  Kind kind = Kind::kTable;
  Place at;
  std::string text;        // kString, expanded
  std::string raw;         // as written, where it held ${...}; empty otherwise
  bool is_broken = false;  // it has no value, and why is reported already
  std::int64_t integer = 0;
  double real = 0;
  bool flag = false;
  std::vector<Node> items;      // kArray
  std::vector<Member> members;  // kTable, in file order

  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  bool is(Kind wanted) const { return kind == wanted; }
  // Nothing in it is broken.
  bool is_whole() const;
};

struct Member {
  std::string key;
  Place at;
  Node value;
};

inline const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

inline bool Node::is_whole() const {
  if (is_broken) return false;
  for (const Node& item : items) {
    if (!item.is_whole()) return false;
  }
  for (const Member& member : members) {
    if (!member.value.is_whole()) return false;
  }
  return true;
}

inline Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

// "a string", "an integer"...
std::string_view kind_name(Node::Kind kind);

}  // namespace rproxy::config
