#include "check/json_schema.h"

#include <algorithm>
#include <map>
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
  const config::KeyInfo* key = nullptr;  // null: a table of the top level
  std::vector<std::string> names;
  std::vector<Table> children;  // as the names

  Table& child(const std::string& name) {
    const auto known = std::ranges::find(names, name);
    if (known != names.end()) return children[static_cast<std::size_t>(known - names.begin())];
    names.push_back(name);
    return children.emplace_back();
  }
};

Json string_like(const char* pattern) { return {{"type", "string"}, {"pattern", std::string("\\$\\{|") + pattern}}; }

// What comes out of the environment stands in the file as a string.
Json or_variable(Json schema) { return {{"anyOf", Json::array({std::move(schema), string_like("^$")})}}; }

Json properties_of(const Table& table);

Json table_of(const Table& table) {
  if (table.children.empty()) return {{"type", "object"}};
  if (table.names.front() == "*") {
    return {{"type", "object"}, {"additionalProperties", table_of(table.children.front())}};
  }
  return {{"type", "object"}, {"properties", properties_of(table)}, {"additionalProperties", false}};
}

Json strings() {
  const Json text{{"type", "string"}};
  return {{"anyOf", Json::array({text, Json{{"type", "array"}, {"items", text}}})}};
}

// Of one word of a key's type.
Json schema_of_word(std::string_view word, const Table& table) {
  if (word == "duration") return string_like("^(0|([0-9]+(ms|s|m|h|d|w))+)$");
  if (word == "size")
    return {{"anyOf", Json::array({Json{{"type", "integer"}, {"minimum", 0}},
                                   string_like("^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)?$")})}};
  if (word == "integer" || word == "status") return or_variable({{"type", "integer"}});
  if (word == "boolean") return or_variable({{"type", "boolean"}});
  if (word == "false") return {{"const", false}};
  if (word == "table") return table_of(table);
  if (word == "strings") return strings();
  if (word == "integers") return {{"type", "array"}, {"items", {{"type", Json::array({"string", "integer"})}}}};
  if (word == "log level")
    return or_variable({{"enum", std::vector<std::string>(kLogLevels.begin(), kLogLevels.end())}});
  return {{"type", "string"}};  // string, path, text, secret, address
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
  if (type == "addresses") return strings();
  if (type.starts_with("array of")) {
    const Json item = table_of(table);
    const bool has_short = type.starts_with("array of addresses");
    const Json items = has_short ? Json{{"anyOf", Json::array({Json{{"type", "string"}}, item})}} : item;
    const Json list{{"type", "array"}, {"items", items}};
    // A source that lists them is a string, or a table.
    return has_short ? Json{{"anyOf", Json::array({list, Json{{"type", "string"}}, item})}} : list;
  }
  const auto words = words_of(type);
  if (words.size() == 1) return schema_of_word(words.front(), table);
  Json any = Json::array();
  for (const auto word : words) any.push_back(schema_of_word(word, table));
  return {{"anyOf", std::move(any)}};
}

Json properties_of(const Table& table) {
  Json properties = Json::object();
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    const Table& child = table.children[i];
    Json schema = child.key != nullptr ? schema_of_type(child.key->type, child) : table_of(child);
    if (child.key != nullptr) {
      schema["description"] = child.key->meaning;
      const Json fallback = Json::parse(child.key->fallback, nullptr, false);
      if (!child.key->fallback.empty() && !fallback.is_discarded()) schema["default"] = fallback;
    }
    properties[table.names[i]] = std::move(schema);
  }
  return properties;
}

Table read_keys(const std::vector<config::KeyInfo>& keys) {
  Table root;
  for (const auto& key : keys) {
    Table* at = &root;
    std::string_view path = key.path;
    while (true) {
      const auto dot = std::min(path.find('.'), path.size());
      at = &at->child(std::string(path.substr(0, dot)));
      if (dot == path.size()) break;
      path.remove_prefix(dot + 1);
    }
    at->key = &key;
  }
  return root;
}

}  // namespace

std::string json_schema() {
  const auto keys = config::all_keys();
  const Table root = read_keys(keys);
  Json properties = properties_of(root);
  for (const char* list : {"listeners", "routes", "tests"})
    properties[list] = Json{{"type", "array"}, {"items", properties[list]}};
  // The short form, by its target alone.
  properties["access_log"] = Json{{"anyOf", Json::array({Json{{"type", "string"}}, properties["access_log"]})}};
  properties["include"] = strings();
  properties["include"]["description"] = "further files, as \"conf.d/*.toml\"; relative to this one";
  const Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"title", "rproxy configuration"},
                    {"type", "object"},
                    {"properties", std::move(properties)},
                    {"additionalProperties", false}};
  return schema.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
