// No path is the name of what is not to be served, and a name is what its path says: escaped again, it is the same.
#include "files/name.h"

#include <climits>
#include <string>

#include "fuzz.h"

namespace {

bool is_servable(std::string_view segment, bool hidden) {
  if (segment.empty() || segment.size() > NAME_MAX || segment == "." || segment == "..") return false;
  if (segment.find('\0') != std::string_view::npos) return false;
  return hidden || !segment.starts_with('.') || segment == ".well-known";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  for (const bool hidden : {false, true}) {
    const auto name = files::name_of(text_of(data, size), hidden);
    if (!name) continue;
    FUZZ_CHECK(name->size() <= PATH_MAX);
    std::string path;
    std::string_view rest = *name;
    while (!rest.empty()) {
      const auto slash = rest.find('/');
      FUZZ_CHECK(is_servable(rest.substr(0, slash), hidden));
      path += "/" + files::escaped(rest.substr(0, slash));
      rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    }
    if (name->empty() || name->ends_with('/')) path += "/";
    const auto again = files::name_of(path, hidden);
    FUZZ_CHECK(again && *again == *name);
  }
  return 0;
}
