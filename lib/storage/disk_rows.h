// A store's files one after another, for tools: beside a running process, or without.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/purge.h"
#include "storage/disk_content.h"
#include "storage/disk_layout.h"

namespace rproxy::storage {

struct DiskRow {
  DiskName name;
  std::string path;
  const DiskHead& head;
  bool is_stale = false;
  bool is_purged = false;  // never given again, though it still is there
  const DiskSystem& system;
  const std::shared_ptr<DiskContent>& content;

  std::uint64_t size() const { return head.header.content_size; }
  // In whole blocks of 4 KiB.
  std::uint64_t size_on_disk() const;
  // All of the content against its checksums.
  Result<void> verify() const;
  // At most `size` bytes from there on, checked before they are given; nothing at the end. Errors that are damage say so (is_damage()).
  Result<std::string> read(std::uint64_t position, std::size_t size) const;
  // False: something else is there by now.
  Result<bool> remove() const;
};

// A file that is none, or can't be read.
struct DiskOddity {
  std::string path;
  Error error;
  std::function<Result<bool>()> remove;  // as DiskRow::remove()
};

struct DiskVisitor {
  std::function<bool(const DiskRow&)> row;  // false: that was enough
  std::function<void(const DiskOddity&)> oddity = {};
  // Of the directories at the first level, at most 256.
  std::function<void(std::size_t done, std::size_t all)> progress = {};
};

// Files that come and go meanwhile are left out. kFile: there is no such directory, or it can't be read; kConfig: no cache is stored there.
// True: all directories could be read.
Result<bool> visit_disk(const std::string& path, const DiskVisitor& visitor);
// Only those of that key's digest.
Result<bool> visit_disk(const std::string& path, const Digest& digest, const DiskVisitor& visitor);

// All heads that are whole.
Result<void> for_each_on_disk(const std::string& path, const std::function<void(const DiskRow&)>& visit);

struct DiskPurgeCount {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};
// On a directory that no process has, to the end: when it returns, files are gone or marked. kFile where one has it.
Result<DiskPurgeCount> purge_disk(const std::string& path, const std::vector<Purge>& purges, std::int64_t now_ms,
                                  const std::function<void(std::size_t done, std::size_t all)>& progress);

}  // namespace rproxy::storage
