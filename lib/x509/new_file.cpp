#include "x509/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/fd.h"

namespace rproxy::x509 {
namespace {

tl::unexpected<Error> failed(const std::string& path, int os_error) {
  return fail(Error{ErrorCode::kFile, Side::kLocal, Retry::kNever, os_error, path});
}

// Of the same file system, and in nobody's way.
std::string beside(const std::string& path) {
  std::uint64_t random = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random);
  const auto name = path.rfind('/') + 1;
  return fmt::format("{}.{}.{:016x}.tmp", path.substr(0, name), path.substr(name), random);
}

bool write_whole(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0;
}

// What has a name is gone with the machine unless its directory is written, too.
bool sync_directory(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
  const Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems can't: there it is as safe as they are.
  return opened && (::fsync(opened.get()) == 0 || errno == EINVAL || errno == EROFS);
}

int put_in_place(const std::string& from, const std::string& to, IfThere if_there) {
  if (if_there == IfThere::kReplace) return ::rename(from.c_str(), to.c_str());
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (::link(from.c_str(), to.c_str()) != 0) return -1;
  ::unlink(from.c_str());
  return 0;
}

}  // namespace

Result<void> write_new_file(const std::string& path, std::string_view content, Access access, IfThere if_there) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (if_there == IfThere::kRefuse) return failed(path, EEXIST);
    // A device or a directory is none that we have made.
    if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode)) return failed(path, EISDIR);
  }
  const std::string temporary = beside(path);
  const mode_t mode = access == Access::kPrivate ? 0600 : 0644;
  Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return failed(path, errno);
  const bool is_written = write_whole(file.get(), content);
  int why = errno;
  file.reset();
  if (is_written && put_in_place(temporary, path, if_there) == 0) {
    if (!sync_directory(path)) return failed(path, errno);
    return {};
  }
  if (is_written) why = errno;
  ::unlink(temporary.c_str());
  return failed(path, why);
}

}  // namespace rproxy::x509
