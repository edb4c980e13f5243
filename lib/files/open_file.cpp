#include "files/open_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rproxy::files {
namespace {

std::int64_t nanoseconds(const struct statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

}  // namespace

Inspected inspect(int descriptor, bool may_wait) {
  struct statx found {};
  const int flags = AT_EMPTY_PATH | (may_wait ? 0 : AT_STATX_DONT_SYNC);
  if (::statx(descriptor, "", flags, STATX_BASIC_STATS, &found) != 0) return {};
  return {found.stx_mode, {found.stx_size, nanoseconds(found.stx_mtime), nanoseconds(found.stx_ctime)}};
}

bool OpenFile::is_unchanged() const { return inspect(descriptor(), false).state == state_; }

Result<std::string> OpenFile::read(std::uint64_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(descriptor(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, errno));
    if (count == 0) return fail(ErrorCode::kTruncated, Side::kLocal, Retry::kNever, "a file has become shorter");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace rproxy::files
