#include "cli/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

namespace rproxy::cli {

void write_output(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  throw std::runtime_error(fmt::format("can't write the output: {}", std::strerror(errno)));
}

std::size_t width_of_output() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 1) return 0;
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : kUsual;
}

namespace {

// Without escape sequences; a byte of UTF-8 that goes on is no column.
std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  bool is_escape = false;
  for (const char c : text) {
    if (c == '\033') is_escape = true;
    if (!is_escape && (static_cast<unsigned char>(c) & 0xC0) != 0x80) ++columns;
    if (is_escape && c == 'm') is_escape = false;
  }
  return columns;
}

std::string wrap_line(std::string_view line, std::size_t width) {
  constexpr std::string_view kIndent = "    ";
  std::string out;
  std::size_t used = 0;
  while (!line.empty()) {
    const auto end = std::min(line.find(' ', line.find_first_not_of(' ')), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(end);
    if (used > kIndent.size() && used + columns_of(word) > width) {
      out += '\n';
      out += kIndent;
      out += word.substr(std::min(word.find_first_not_of(' '), word.size()));
      used = kIndent.size() + columns_of(word) - 1;
    } else {
      out += word;
      used += columns_of(word);
    }
  }
  return out;
}

}  // namespace

std::string wrap_prose(std::string_view text, std::size_t width) {
  if (width == 0) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    // What is shown of a file keeps its columns.
    const bool is_excerpt = line.find(" | ") != line.npos || line.find(" |\033") != line.npos;
    out += columns_of(line) > width && !is_excerpt ? wrap_line(line, width) : std::string(line);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
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
