// What a directory lists, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "files/root.h"

namespace rproxy::files {

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // seconds
};

struct Directory {
  Directory() = default;  // not an aggregate, as Look
  int error = 0;          // it can't be read: why
  std::vector<DirectoryEntry> entries;
  bool is_cut = false;  // there are more
};

// Of more no list is made: whoever asks for it again and again would keep threads busy.
constexpr std::size_t kEntriesMax = 10'000;

// Waits for the disk. Directories first, then by name; without what is not served: what begins with a dot unless `hidden`, what is neither
// file nor directory, links that are not followed.
Directory read_directory(const Root& root, const std::string& name, bool hidden);

// `title` is the path as a person reads it, in any encoding.
std::string html_of(const Directory& directory, std::string_view title);
// [{"name":"a.png","type":"file","size":123,"mtime":"2026-01-02T03:04:05Z"}]
std::string json_of(const Directory& directory);

}  // namespace rproxy::files
