#include "config/key.h"

#include <fmt/format.h>

namespace rproxy::config {

void report_unknown(Problems& problems, const Member& member, const std::string& table,
                    const std::vector<std::string>& known) {
  const std::string near = nearest(member.key, known);
  const std::string where = table.empty() ? "the file's top level" : table;
  problems.error(
      "RP1002", member.at, fmt::format("{} has no key {}", where, member.key),
      near.empty() ? fmt::format("it has {}", fmt::join(known, ", ")) : fmt::format("did you mean {}?", near));
}

}  // namespace rproxy::config
