#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// The parser asserts that a table's name begins well before it reports one that doesn't ("[$x]").
#define TOML_ASSERT(expr) static_assert(true)
#include "config/document.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "config/parseable.h"

namespace rproxy::config {
namespace {

Place place_of(const toml::source_region& region, const std::shared_ptr<const SourceFile>& file) {
  return {file, region.begin.line, region.begin.column};
}

Node convert(const toml::node& from, const std::shared_ptr<const SourceFile>& file) {
  Node node;
  node.at = place_of(from.source(), file);
  if (const auto* text = from.as_string()) {
    node.kind = Node::Kind::kString;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Node::Kind::kInteger;
    node.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    node.kind = Node::Kind::kFloat;
    node.real = real->get();
  } else if (const auto* flag = from.as_boolean()) {
    node.kind = Node::Kind::kBool;
    node.flag = flag->get();
  } else if (const auto* array = from.as_array()) {
    node.kind = Node::Kind::kArray;
    for (const auto& item : *array) node.items.push_back(convert(item, file));
  } else if (const auto* table = from.as_table()) {
    node.kind = Node::Kind::kTable;
    for (const auto& [key, value] : *table) {
      node.members.push_back({std::string(key.str()), place_of(key.source(), file), convert(value, file)});
    }
    // The library sorts by name; people read files from top to bottom.
    std::ranges::stable_sort(node.members, {}, [](const Member& m) { return std::pair(m.at.line, m.at.column); });
  } else {
    node.kind = Node::Kind::kDate;
  }
  return node;
}

}  // namespace

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kString:
      return "a string";
    case Node::Kind::kInteger:
      return "an integer";
    case Node::Kind::kFloat:
      return "a float";
    case Node::Kind::kBool:
      return "a boolean";
    case Node::Kind::kDate:
      return "a date or time";
    case Node::Kind::kArray:
      return "an array";
    case Node::Kind::kTable:
      return "a table";
  }
  return "";
}

std::optional<Node> parse_document(std::shared_ptr<const SourceFile> file, const std::string& text,
                                   std::vector<Diagnostic>& diagnostics) {
  if (!is_parseable(file, text, diagnostics)) return std::nullopt;
  const toml::parse_result parsed = toml::parse(text, file->name);
  if (parsed) return convert(parsed.table(), file);
  const toml::parse_error& error = parsed.error();
  report_syntax(
      file, {file->name, error.source().begin.line, error.source().begin.column}, std::string(error.description()),
      "the file is not valid TOML; values after = are strings in quotes, numbers, true, false, [arrays] or { tables }",
      diagnostics);
  return std::nullopt;
}

}  // namespace rproxy::config
