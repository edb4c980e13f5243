#include "check/comments.h"

#include <algorithm>

namespace rproxy::check {
namespace {

// What ends the string that `text` begins with; empty: it begins none.
std::string_view delimiter_of(std::string_view text) {
  for (const std::string_view each : {"\"\"\"", "'''", "\"", "'"}) {
    if (text.starts_with(each)) return each;
  }
  return {};
}

}  // namespace

std::size_t find_comment(std::string_view line, std::string_view& open) {
  std::size_t at = 0;
  while (at < line.size()) {
    const std::string_view rest = line.substr(at);
    if (open.empty()) {
      if (rest.front() == '#') return at;
      open = delimiter_of(rest);
      at += std::max<std::size_t>(open.size(), 1);
    } else if (!rest.starts_with(open)) {
      at += rest.front() == '\\' && open.front() == '"' ? 2 : 1;
    } else {
      at += open.size();
      // A block may end in two quotes of its own before the three.
      for (int own = 0; open.size() == 3 && own < 2 && at < line.size() && line[at] == open.front(); ++own) ++at;
      open = {};
    }
  }
  if (open.size() == 1) open = {};
  return line.npos;
}

}  // namespace rproxy::check
