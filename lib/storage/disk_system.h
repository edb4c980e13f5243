// What the disk store asks of the system. Each call may be made to fail by a test, and time is what a test says it is.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/units.h"

namespace rproxy::storage {

enum class DiskCall : std::uint8_t { kOpen, kRead, kWrite, kCopy, kSync, kRename, kRemove, kMakeDirectory, kList };

struct DiskHooks {
  std::function<int(DiskCall)> fault;  // 0, or the errno to fail with; any thread
  std::function<TimePoint()> now;
};

// Errors are of kFile, with an errno and the path, and mean the disk; what is wrong with bytes is said by other codes. Any thread.
class DiskSystem {
 public:
  explicit DiskSystem(DiskHooks hooks = {}) : hooks_(std::move(hooks)) {}

  TimePoint now() const { return hooks_.now ? hooks_.now() : Clock::now(); }

  // A regular file. kFile with ELOOP for a link, EINVAL for what else is none.
  Result<Fd> open_to_read(const std::string& path) const;
  Result<Fd> open_to_change(const std::string& path) const;
  Result<Fd> open_to_append(const std::string& path) const;  // made if missing
  Result<Fd> create(const std::string& path) const;          // which must not be there

  // As many bytes as there are, at most `size`.
  Result<std::string> read(const Fd& file, std::uint64_t offset, std::size_t size) const;
  Result<void> write(const Fd& file, std::uint64_t offset, std::string_view bytes) const;
  Result<void> append(const Fd& file, std::string_view bytes) const;
  Result<void> copy(const Fd& from, std::uint64_t from_offset, const Fd& to, std::uint64_t to_offset,
                    std::uint64_t size) const;
  Result<void> sync(const Fd& file) const;
  // All that was written to that file system.
  Result<void> sync_all(const Fd& any) const;

  Result<void> rename(const std::string& from, const std::string& to) const;
  // True: there was one.
  Result<bool> remove(const std::string& path) const;
  // Whatever of it is missing; of mode 0700.
  Result<void> make_directories(const std::string& path) const;
  // In no order; nothing where there is no such directory.
  Result<std::vector<std::string>> list(const std::string& path) const;

  static Result<std::uint64_t> size_of(const Fd& file);
  // Whether it is still what the path names.
  static bool is_at(const Fd& file, const std::string& path);

 private:
  int fault(DiskCall call) const { return hooks_.fault ? hooks_.fault(call) : 0; }
  Result<Fd> open(const std::string& path, int flags) const;

  DiskHooks hooks_;
};

}  // namespace rproxy::storage
