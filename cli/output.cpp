#include "cli/output.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace rproxy::cli {

void write_output(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  throw std::runtime_error(fmt::format("can't write the output: {}", std::strerror(errno)));
}

namespace {

// A device, a pipe and the like is what it is: it is written into, and nothing is put in its place.
bool is_special(const std::string& path) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode);
}

[[noreturn]] void refuse(const std::string& path, const char* what) {
  throw std::runtime_error(fmt::format("{}: can't {} it: {}", path, what, std::strerror(errno)));
}

// False with errno where it can't be written whole.
bool write_and_close(std::FILE* file, std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int why = errno;
  const bool closed = std::fclose(file) == 0;
  if (!written) errno = why;
  return written && closed;
}

}  // namespace

void write_file_atomically(const std::string& path, std::string_view text) {
  if (is_special(path)) {
    std::FILE* const file = std::fopen(path.c_str(), "we");
    if (file == nullptr || !write_and_close(file, text)) refuse(path, "write");
    return;
  }
  // Beside it, for a file is renamed within its file system alone; readers of "*.prom" pass it over.
  const std::string beside = fmt::format("{}.{}.tmp", path, ::getpid());
  const auto give_up = [&](const char* what) {
    const int why = errno;
    ::unlink(beside.c_str());
    errno = why;
    refuse(path, what);
  };
  std::FILE* const file = std::fopen(beside.c_str(), "wxe");
  if (file == nullptr) refuse(path, "write");
  if (!write_and_close(file, text)) give_up("write");
  if (std::rename(beside.c_str(), path.c_str()) != 0) give_up("replace");
}

}  // namespace rproxy::cli
