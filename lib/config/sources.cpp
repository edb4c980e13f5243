#include "config/sources.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

namespace rproxy::config {
namespace {

std::string directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path().string() : ".";
}

}  // namespace

std::string identity_of(const struct stat& status) {
  return fmt::format("{}:{}:{}:{}.{}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

std::string identity_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? identity_of(status) : std::string();
}

std::vector<std::string> find_files(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), 0, nullptr, &found);
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&found, &::globfree);
  if (result != 0) return {};
  return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

bool has_changed(const Sources& sources) {
  return std::ranges::any_of(sources.files, [](const auto& file) { return identity_of(file.path) != file.identity; }) ||
         std::ranges::any_of(sources.patterns,
                             [](const auto& pattern) { return find_files(pattern.text) != pattern.found; });
}

std::vector<std::string> directories_of(const Sources& sources) {
  std::set<std::string> all;
  for (const auto& file : sources.files) {
    all.insert(directory_of(file.path));
    std::error_code error;
    const auto real = std::filesystem::canonical(file.path, error);
    if (!error) all.insert(directory_of(real));
  }
  for (const auto& pattern : sources.patterns) {
    // "conf.d/*/x.toml" may come to match within any of conf.d's directories.
    all.insert(directory_of(pattern.text.substr(0, pattern.text.find_first_of("*?[")) + "x"));
    for (const auto& directory : find_files(directory_of(pattern.text))) all.insert(directory);
  }
  return {all.begin(), all.end()};
}

}  // namespace rproxy::config
