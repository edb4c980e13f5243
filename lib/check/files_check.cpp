#include "check/files_check.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "config/problems.h"
#include "config/source.h"
#include "config/values.h"

namespace rproxy::check {
namespace {

// What is wrong with it as a root; empty: nothing.
std::string fault_of(const std::string& path) {
  struct stat found {};
  const bool is_there = ::stat(path.c_str(), &found) == 0;
  if (is_there && !S_ISDIR(found.st_mode)) return "is no directory";
  if (is_there && ::access(path.c_str(), X_OK) == 0) return {};
  return fmt::format("can't be opened: {}", std::generic_category().message(errno));
}

void check_root(const config::Node& files, config::Problems& problems) {
  const config::Node* root = files.is(config::Node::Kind::kTable) ? files.find("root") : &files;
  if (root == nullptr || !root->is(config::Node::Kind::kString) || root->is_broken || root->text.empty()) return;
  const std::string path = resolve_path(root->at, root->text);
  const std::string fault = fault_of(path);
  if (fault.empty()) return;
  problems.error("RP1212", root->at, fmt::format("{} {}", is_secret(*root) ? root->raw : path, fault),
                 "a directory that this user may go through, such as \"/srv/www\"");
}

}  // namespace

void check_files(config::Loaded& loaded) {
  const config::Node* routes = loaded.tree ? loaded.tree->find("routes") : nullptr;
  if (routes == nullptr) return;
  config::Problems problems;
  problems.list() = std::move(loaded.diagnostics);
  for (const config::Node& route : routes->items) {
    if (const config::Node* files = route.find("files")) check_root(*files, problems);
  }
  loaded.diagnostics = std::move(problems.list());
  config::sort_diagnostics(loaded.diagnostics);
}

}  // namespace rproxy::check
