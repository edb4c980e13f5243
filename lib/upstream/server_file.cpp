#include "upstream/server_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/fd.h"

namespace rproxy::upstream {
namespace {

constexpr std::size_t kFileMax = std::size_t{1024} * 1024;

}  // namespace

std::string server_file_version(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return fmt::format("none: {}", errno);
  return fmt::format("{}.{}.{}.{}.{}", found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec);
}

Result<std::string> read_server_file(const std::string& path) {
  const auto bad = [&](std::string reason) {
    return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever, fmt::format("{}: {}", path, reason));
  };
  const auto bad_by_system = [&] { return bad(std::generic_category().message(errno)); };
  // A pipe without a writer would block.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return bad_by_system();
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return bad_by_system();
  if (!S_ISREG(found.st_mode)) return bad("this is no regular file");
  std::string text(kFileMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0) return bad_by_system();
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size > kFileMax) return bad("the file is larger than 1 MiB");
  text.resize(size);
  return text;
}

}  // namespace rproxy::upstream
