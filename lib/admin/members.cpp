#include "admin/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace rproxy::admin {

const Json* Members::find(std::string_view name) {
  known_.push_back(name);
  const auto found = content_.find(name);
  return found != content_.end() ? &*found : nullptr;
}

void Members::text(std::string_view name, std::string& out) {
  const Json* found = find(name);
  if (found == nullptr) return;
  if (found->is_string()) {
    out = found->get<std::string>();
  } else if (!wrong_) {
    wrong_ = problem(400, fmt::format("{} is a string", name));
  }
}

void Members::texts(std::string_view name, std::vector<std::string>& out) {
  const Json* found = find(name);
  if (found == nullptr) return;
  if (found->is_array() && std::ranges::all_of(*found, [](const Json& each) { return each.is_string(); })) {
    out = found->get<std::vector<std::string>>();
  } else if (!wrong_) {
    wrong_ = problem(400, fmt::format("{} is a list of strings", name));
  }
}

void Members::flag(std::string_view name, std::optional<bool>& out) {
  const Json* found = find(name);
  if (found == nullptr) return;
  if (found->is_boolean()) {
    out = found->get<bool>();
  } else if (!wrong_) {
    wrong_ = problem(400, fmt::format("{} is true or false", name));
  }
}

void Members::number(std::string_view name, std::uint64_t most, std::optional<std::uint64_t>& out) {
  const Json* found = find(name);
  if (found == nullptr) return;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() <= most) {
    out = found->get<std::uint64_t>();
  } else if (!wrong_) {
    wrong_ = problem(400, fmt::format("{} is a whole number from 0 to {}", name, most));
  }
}

std::optional<Answer> Members::complaint() const {
  if (wrong_) return wrong_;
  for (const auto& [name, value] : content_.items()) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    return problem(400, fmt::format("unknown member {}: there are {}", name, fmt::join(known_, ", ")));
  }
  return std::nullopt;
}

}  // namespace rproxy::admin
