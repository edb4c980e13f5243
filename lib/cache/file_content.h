// Content in a file that is open: it can be read to its end whatever becomes of the file's name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace rproxy::cache {

// Any thread. Of the store that has given it, which outlives it.
class FileContent {
 public:
  using OnRead = std::function<void(Result<std::string>)>;

  FileContent() = default;
  FileContent(const FileContent&) = delete;
  FileContent& operator=(const FileContent&) = delete;
  virtual ~FileContent() = default;

  virtual int descriptor() const = 0;
  virtual std::uint64_t offset() const = 0;  // of the content in the file
  // Whether that part may be given as it is: it was held against its checksums, or written just now.
  virtual bool is_verified(std::uint64_t position, std::uint64_t size) const = 0;
  // That part, verified, from a thread that may wait for the disk; `size` of at most kReadMax. `done` is called there, or at once where too
  // many wait already; it must not wait. Errors mean that it can't be had.
  static constexpr std::size_t kReadMax = 1 << 20;
  virtual void read(std::uint64_t position, std::size_t size, OnRead done) = 0;
};

}  // namespace rproxy::cache
