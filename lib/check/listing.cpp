#include "check/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "check/conditions.h"
#include "check/explain.h"
#include "check/leads_to.h"
#include "config/text.h"

namespace rproxy::check {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 5;
using Row = std::array<std::string, kColumns>;

std::string place_of(const config::Place& place) {
  return place.file ? fmt::format("{}:{}", place.file->name, place.line) : std::string();
}

std::vector<Row> rows_of(const config::Config& config) {
  std::vector<Row> rows{{"#", "MATCH", "LEADS TO", "PRIORITY", "AT"}};
  for (const std::size_t index : route::by_precedence(rules_of(config))) {
    const config::Route& route = config.routes[index];
    const int priority = route.rule.priority;
    rows.push_back({std::to_string(rows.size()), text_of(route.rule.match), leads_to(route.action),
                    priority == 0 ? "" : std::to_string(priority), place_of(route.at)});
  }
  return rows;
}

std::vector<config::Cell> cells_within(std::string_view text, std::size_t room) {
  auto cells = config::cells_of(text);
  std::size_t width = 0;
  std::size_t count = 0;
  while (count < cells.size() && width + cells[count].width <= room) width += cells[count++].width;
  if (count == cells.size() || room < 4) return cells;
  while (width > room - 3) width -= cells[--count].width;
  cells.resize(count);
  cells.push_back({"...", 3});
  return cells;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (const auto& cell : config::cells_of(text)) width += cell.width;
  return width;
}

// A column without anything in it is left out.
std::array<std::size_t, kColumns> widths_of(const std::vector<Row>& rows, std::size_t width_max) {
  std::array<std::size_t, kColumns> widths{};
  for (std::size_t column = 0; column < kColumns; ++column) {
    bool has_any = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      widths[column] = std::max(widths[column], width_of(rows[i][column]));
      has_any = has_any || (i > 0 && !rows[i][column].empty());
    }
    if (!has_any && rows.size() > 1) widths[column] = 0;
  }
  std::size_t all = 0;
  for (const std::size_t width : widths) all += width == 0 ? 0 : width + 2;
  // The widest gives first.
  for (; width_max != 0 && all > width_max + 2; --all) {
    auto widest = std::ranges::max_element(widths);
    if (*widest <= 8) break;
    --*widest;
  }
  return widths;
}

}  // namespace

std::string list_routes(const config::Config& config, std::size_t width) {
  const auto rows = rows_of(config);
  const auto widths = widths_of(rows, width);
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < kColumns; ++column) {
      if (widths[column] == 0) continue;
      std::size_t used = 0;
      for (const auto& cell : cells_within(row[column], widths[column])) {
        line += cell.text;
        used += cell.width;
      }
      line += std::string(widths[column] - std::min(used, widths[column]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string list_routes_json(const config::Config& config) {
  Json list = Json::array();
  for (const std::size_t index : route::by_precedence(rules_of(config))) {
    const config::Route& route = config.routes[index];
    Json conditions = Json::array();
    for (const auto& [name, value] : conditions_of(route.rule.match))
      conditions.push_back({{"name", name}, {"value", value}});
    list.push_back({{"match", text_of(route.rule.match)},
                    {"conditions", std::move(conditions)},
                    {"priority", route.rule.priority},
                    {"leads_to", leads_to(route.action)},
                    {"name", route.rule.name},
                    {"file", route.at.file ? route.at.file->name : std::string()},
                    {"line", route.at.line}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
