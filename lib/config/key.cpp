#include "config/key.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "config/text.h"

namespace rproxy::config {

bool lacks(const Node& table, const std::string& key, const std::vector<std::string>& known) {
  if (table.find(key) != nullptr) return false;
  // Whoever has more keys than that has other mistakes.
  constexpr std::size_t kLookedAtMax = 256;
  const std::span members(table.members.data(), std::min(table.members.size(), kLookedAtMax));
  return std::ranges::none_of(members, [&](const Member& member) {
    return std::ranges::find(known, member.key) == known.end() && nearest(member.key, known) == key;
  });
}

void report_no_table(Problems& problems, const Node& node, const std::string& name) {
  problems.error("RP1003", node.at, fmt::format("{} is a table, not {}", name, kind_name(node.kind)),
                 name.starts_with('[') ? fmt::format("write {}, and its keys below it", name)
                                       : fmt::format("write {} = {{ key = value }}", name));
}

void report_unknown(Problems& problems, const Member& member, const std::string& table,
                    const std::vector<std::string>& known) {
  if (problems.is_full()) return;
  const std::string near = nearest(member.key, known);
  const std::string where = table.empty() ? "the file's top level" : table;
  problems.error(
      "RP1002", member.at, fmt::format("{} has no key {}", where, cut_text(member.key)),
      near.empty() ? fmt::format("it has {}", fmt::join(known, ", ")) : fmt::format("did you mean {}?", near));
}

}  // namespace rproxy::config
