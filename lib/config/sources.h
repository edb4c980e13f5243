// What a configuration was read from, to see later whether it would read otherwise.
#pragma once

#include <string>
#include <vector>

struct stat;

namespace rproxy::config {

// Which content a path led to: another one, or the same written anew, has another. Empty: none.
std::string identity_of(const struct stat& status);
std::string identity_of(const std::string& path);

struct Sources {
  struct File {
    std::string path;
    std::string identity;  // of what was read
  };
  struct Pattern {
    std::string text;  // "/etc/rproxy/conf.d/*.toml"
    std::vector<std::string> found;
  };
  std::vector<File> files;
  std::vector<Pattern> patterns;
};

// The files a pattern leads to, in order.
std::vector<std::string> find_files(const std::string& pattern);

bool has_changed(const Sources& sources);

// Where a change of them shows: the directories of all paths and patterns, and of what links lead to. Each once.
std::vector<std::string> directories_of(const Sources& sources);

}  // namespace rproxy::config
