#include "check/json_schema.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "config/load.h"

namespace rproxy::check {
namespace {

using Json = nlohmann::ordered_json;

// The tables as they lie in each other. "*" is any name.
struct Table {
  std::string name;
  const config::KeyInfo* key = nullptr;  // null: a table of the top level
  std::vector<Table> children;

  Table& child(std::string_view wanted) {
    const auto known = std::ranges::find(children, wanted, &Table::name);
    return known != children.end() ? *known : children.emplace_back(Table{std::string(wanted), nullptr, {}});
  }
};

constexpr const char* kVariable = "\\$\\{";

Json any_of(std::initializer_list<Json> schemas) { return {{"anyOf", Json(schemas)}}; }

Json string_like(const std::string& pattern) { return {{"type", "string"}, {"pattern", pattern}}; }

// What comes out of the environment or a file stands in this one as a string.
Json string_or_variable(const std::string& pattern) { return string_like(kVariable + ("|" + pattern)); }
Json or_variable(Json schema) { return any_of({std::move(schema), string_like(kVariable)}); }

const Json& text() {
  static const Json kText{{"type", "string"}};
  return kText;
}

Json list_of(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

Json properties_of(const Table& table);

Json table_of(const Table& table) {
  if (table.children.empty()) return {{"type", "object"}};
  if (table.children.front().name == "*") {
    return {{"type", "object"}, {"additionalProperties", table_of(table.children.front())}};
  }
  return {{"type", "object"}, {"properties", properties_of(table)}, {"additionalProperties", false}};
}

Json integer_within(const config::Bounds& bounds) {
  Json schema{{"type", "integer"}, {"minimum", bounds.min}};
  if (bounds.max != config::kIntegerMax) schema["maximum"] = bounds.max;
  return schema;
}

Json words_of(const config::KeyInfo& key) { return key.words.empty() ? text() : or_variable({{"enum", key.words}}); }

// A test of one header, query parameter or cookie.
Json value_match() {
  const auto table = [](const char* kind) {
    return Json{{"type", "object"},
                {"properties", {{kind, text()}}},
                {"required", Json::array({kind})},
                {"additionalProperties", false}};
  };
  return any_of({text(), {{"type", "boolean"}}, table("prefix"), table("regex")});
}

// A table whose keys are names: "table of strings".
Json free_table(std::string_view of) {
  const Json value = of == "value matches"      ? value_match()
                     : of == "strings or false" ? any_of({text(), {{"const", false}}})
                                                : text();
  return {{"type", "object"}, {"additionalProperties", value}};
}

// Of one word of a key's type.
Json schema_of_word(std::string_view word, const Table& table) {
  const config::KeyInfo& key = *table.key;
  const config::Bounds bounds = key.bounds.value_or(config::Bounds{});
  if (word == "duration") return any_of({string_or_variable("^(0|([0-9]+(ms|s|m|h|d|w))+)$"), {{"const", 0}}});
  if (word == "size") return any_of({integer_within(bounds), string_or_variable("^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)?$")});
  if (word == "status") return integer_within(bounds);
  if (word == "integer") return or_variable(integer_within(bounds));
  if (word == "boolean") return {{"type", "boolean"}};
  if (word == "false") return {{"const", false}};
  if (word == "table") return table_of(table);
  if (word == "strings" || word == "addresses") return any_of({text(), list_of(text())});
  if (word == "array of strings") return list_of(words_of(key));
  if (word == "integers") return any_of({{{"type", "integer"}}, list_of(Json{{"type", {"string", "integer"}}})});
  if (word == "log level")
    return or_variable({{"enum", std::vector<std::string>(kLogLevels.begin(), kLogLevels.end())}});
  return words_of(key);  // string, path, text, secret, address
}

std::vector<std::string_view> words_of(std::string_view type) {
  std::vector<std::string_view> words;
  while (!type.empty()) {
    const auto comma = type.find(", ");
    const auto either = type.find(" or ");
    const auto end = std::min({comma, either, type.size()});
    words.push_back(type.substr(0, end));
    type.remove_prefix(std::min(end + (comma < either ? 2 : 4), type.size()));
  }
  return words;
}

Json schema_of_type(std::string_view type, const Table& table) {
  constexpr std::string_view kFree = "table of ";
  if (type.starts_with(kFree)) return free_table(type.substr(kFree.size()));
  if (type == "array of strings") return schema_of_word(type, table);
  if (type.starts_with("array of addresses or")) return list_of(any_of({text(), table_of(table)}));
  if (type.starts_with("array of")) return list_of(table_of(table));
  const auto words = words_of(type);
  if (words.size() == 1) return schema_of_word(words.front(), table);
  Json any = Json::array();
  for (const auto word : words) any.push_back(schema_of_word(word, table));
  return {{"anyOf", std::move(any)}};
}

Json properties_of(const Table& table) {
  Json properties = Json::object();
  for (const Table& child : table.children) {
    Json schema = child.key != nullptr ? schema_of_type(child.key->type, child) : table_of(child);
    if (child.key != nullptr) {
      schema["description"] = child.key->meaning;
      const Json fallback = Json::parse(child.key->fallback, nullptr, false);
      if (!child.key->fallback.empty() && !fallback.is_discarded()) schema["default"] = fallback;
    }
    properties[child.name] = std::move(schema);
  }
  return properties;
}

void add_key(Table& root, std::string_view path, const config::KeyInfo& key) {
  Table* at = &root;
  while (true) {
    const auto dot = std::min(path.find('.'), path.size());
    at = &at->child(path.substr(0, dot));
    if (dot == path.size()) break;
    path.remove_prefix(dot + 1);
  }
  at->key = &key;
}

Table read_keys(const std::vector<config::KeyInfo>& keys) {
  Table root;
  for (const auto& key : keys) {
    add_key(root, key.path, key);
    // A listener may have a table of its own with the same keys.
    if (key.path.starts_with("tls.")) add_key(root, "listeners." + key.path, key);
    constexpr std::string_view kRoutes = "routes.";
    for (const std::string_view table : {"routes.cache.", "routes.compress.", "routes.hsts."}) {
      if (key.path.starts_with(table)) add_key(root, "defaults." + key.path.substr(kRoutes.size()), key);
    }
  }
  return root;
}

}  // namespace

std::string json_schema() {
  const auto keys = config::all_keys();
  const Table root = read_keys(keys);
  Json properties = properties_of(root);
  for (const char* list : {"listeners", "routes", "tests"}) properties[list] = list_of(properties[list]);
  // The short form, by its target alone.
  properties["access_log"] = any_of({text(), properties["access_log"]});
  properties["include"] = any_of({text(), list_of(text())});
  properties["include"]["description"] = "further files, as \"conf.d/*.toml\"; relative to this one";
  const Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "rproxy configuration"},
                    {"type", "object"},
                    {"properties", std::move(properties)},
                    {"additionalProperties", false}};
  return schema.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
