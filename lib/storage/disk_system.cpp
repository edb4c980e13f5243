#include "storage/disk_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace rproxy::storage {
namespace {

tl::unexpected<Error> failed(int number, const std::string& path = {}) {
  return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, number, path));
}

// `call` returns how much it did of `size`; it goes on from there.
template <typename Call>
Result<void> repeat(std::uint64_t size, const Call& call) {
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t count = call(done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed(count < 0 ? errno : EIO);
    done += static_cast<std::uint64_t>(count);
  }
  return {};
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<Fd> DiskSystem::open(const std::string& path, int flags) const {
  if (const int number = fault(DiskCall::kOpen)) return failed(number, path);
  Fd file(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file) return failed(errno, path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(errno, path);
  if (!S_ISREG(status.st_mode)) return failed(EINVAL, path);
  return file;
}

Result<Fd> DiskSystem::open_to_read(const std::string& path) const { return open(path, O_RDONLY); }
Result<Fd> DiskSystem::open_to_change(const std::string& path) const { return open(path, O_RDWR); }
Result<Fd> DiskSystem::open_to_append(const std::string& path) const { return open(path, O_RDWR | O_APPEND | O_CREAT); }
Result<Fd> DiskSystem::create(const std::string& path) const { return open(path, O_RDWR | O_CREAT | O_EXCL); }

Result<std::string> DiskSystem::read(const Fd& file, std::uint64_t offset, std::size_t size) const {
  if (const int number = fault(DiskCall::kRead)) return failed(number);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

Result<void> DiskSystem::write(const Fd& file, std::uint64_t offset, std::string_view bytes) const {
  if (const int number = fault(DiskCall::kWrite)) return failed(number);
  return repeat(bytes.size(), [&](std::uint64_t done) {
    return ::pwrite(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
  });
}

Result<void> DiskSystem::append(const Fd& file, std::string_view bytes) const {
  if (const int number = fault(DiskCall::kWrite)) return failed(number);
  return repeat(bytes.size(),
                [&](std::uint64_t done) { return ::write(file.get(), bytes.data() + done, bytes.size() - done); });
}

Result<void> DiskSystem::copy(const Fd& from, std::uint64_t from_offset, const Fd& to, std::uint64_t to_offset,
                              std::uint64_t size) const {
  if (const int number = fault(DiskCall::kCopy)) return failed(number);
  auto in = static_cast<off_t>(from_offset);
  auto out = static_cast<off_t>(to_offset);
  return repeat(size,
                [&](std::uint64_t done) { return ::copy_file_range(from.get(), &in, to.get(), &out, size - done, 0); });
}

Result<void> DiskSystem::sync(const Fd& file) const {
  if (const int number = fault(DiskCall::kSync)) return failed(number);
  if (::fsync(file.get()) != 0) return failed(errno);
  return {};
}

Result<void> DiskSystem::sync_all(const Fd& any) const {
  if (const int number = fault(DiskCall::kSync)) return failed(number);
  if (::syncfs(any.get()) != 0) return failed(errno);
  return {};
}

Result<void> DiskSystem::rename(const std::string& from, const std::string& to) const {
  if (const int number = fault(DiskCall::kRename)) return failed(number, to);
  if (std::rename(from.c_str(), to.c_str()) != 0) return failed(errno, to);
  return {};
}

Result<bool> DiskSystem::remove(const std::string& path) const {
  if (const int number = fault(DiskCall::kRemove)) return failed(number, path);
  if (::unlink(path.c_str()) == 0) return true;
  if (errno != ENOENT) return failed(errno, path);
  return false;
}

Result<void> DiskSystem::make_directories(const std::string& path) const {
  if (const int number = fault(DiskCall::kMakeDirectory)) return failed(number, path);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  const auto slash = path.rfind('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return failed(errno, path);
  if (auto made = make_directories(path.substr(0, slash)); !made) return made;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(errno, path);
  return {};
}

Result<std::vector<std::string>> DiskSystem::list(const std::string& path) const {
  if (const int number = fault(DiskCall::kList)) return failed(number, path);
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (directory == nullptr && errno == ENOENT) return names;
  if (directory == nullptr) return failed(errno, path);
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return failed(errno, path);
    if (entry == nullptr) return names;
    if (entry->d_name[0] != '.') names.emplace_back(static_cast<const char*>(entry->d_name));
  }
}

Result<std::uint64_t> DiskSystem::size_of(const Fd& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(errno);
  return static_cast<std::uint64_t>(status.st_size);
}

bool DiskSystem::is_at(const Fd& file, const std::string& path) {
  struct stat here {};
  struct stat there {};
  if (::fstat(file.get(), &here) != 0 || ::lstat(path.c_str(), &there) != 0) return false;
  return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace rproxy::storage
