#include <fmt/format.h>
#include <sys/stat.h>

#include "check/lint_parts.h"
#include "files/name.h"

namespace rproxy::check {
namespace {

using route::PathMatch;

// The whole segments that all paths of the route begin with: "/images" of "/images/*".
std::string directory_of(const PathMatch& path) {
  if (path.kind != PathMatch::Kind::kPrefix || !path.value.ends_with('/')) return {};
  return path.value.substr(0, path.value.size() - 1);
}

bool is_there(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0;
}

}  // namespace

// Whoever means the directory of what the route matches finds nothing: paths are looked for whole.
void lint_files(const config::Loaded& loaded, config::Problems& problems) {
  for (std::size_t i = 0; i < loaded.config.routes.size(); ++i) {
    const config::Route& route = loaded.config.routes[i];
    const auto* options = std::get_if<files::Options>(&route.action);
    if (options == nullptr || !options->rewrite.empty()) continue;
    const std::string directory = directory_of(route.rule.match.path);
    const auto name = files::name_of(directory.empty() ? "/" : directory, true);
    if (directory.empty() || !name || is_there(options->root + "/" + *name)) continue;
    const config::Node& written = loaded.tree->find("routes")->items[i];
    if (is_secret(*written.find("files")) || is_secret(match_node(written))) continue;
    problems.warning("RP2008", written.find("files")->at,
                     fmt::format("paths are looked for whole, and there is no {}{}", options->root, directory),
                     fmt::format("rewrite = {{ strip_prefix = \"{}\" }}, or a root that has it", directory));
  }
}

}  // namespace rproxy::check
