// A regular file that is open, and what it was like then.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace rproxy::files {

// What tells one state of a file from another.
struct FileState {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // of the inode
  bool operator==(const FileState&) const = default;
  std::int64_t modified() const { return modified_ns / 1'000'000'000; }  // seconds
};

// Any thread.
class OpenFile {
 public:
  OpenFile(Fd descriptor, FileState state) : descriptor_(std::move(descriptor)), state_(state) {}

  int descriptor() const { return descriptor_.get(); }
  const FileState& state() const { return state_; }
  // Whether nobody has written to it since. Asks no server.
  bool is_unchanged() const;
  // All of that part; it may wait for a disk. kTruncated: the file has become shorter.
  Result<std::string> read(std::uint64_t offset, std::size_t size) const;

 private:
  Fd descriptor_;
  FileState state_;
};

using OpenFilePtr = std::shared_ptr<const OpenFile>;

// What is open there. `may_wait`: for a server that knows better than what is remembered of it. Of mode 0: that can't be told.
struct Inspected {
  mode_t mode = 0;
  FileState state;
};
Inspected inspect(int descriptor, bool may_wait);

}  // namespace rproxy::files
