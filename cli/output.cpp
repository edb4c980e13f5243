#include "cli/output.h"

#include <fmt/format.h>
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

void write_file_atomically(const std::string& path, std::string_view text) {
  // Beside it, for a file is renamed within its file system alone; readers of "*.prom" pass it over.
  const std::string beside = fmt::format("{}.{}.tmp", path, ::getpid());
  const auto give_up = [&](const char* what) {
    const int why = errno;
    ::unlink(beside.c_str());
    throw std::runtime_error(fmt::format("{}: can't {} it: {}", path, what, std::strerror(why)));
  };
  std::FILE* const file = std::fopen(beside.c_str(), "wxe");
  if (file == nullptr) throw std::runtime_error(fmt::format("{}: can't write it: {}", path, std::strerror(errno)));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if ((std::fclose(file) != 0) || !written) give_up("write");
  if (std::rename(beside.c_str(), path.c_str()) != 0) give_up("replace");
}

}  // namespace rproxy::cli
