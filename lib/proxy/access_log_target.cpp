#include "proxy/access_log_target.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <utility>

namespace rproxy::proxy {
namespace {

constexpr std::chrono::seconds kReconnectEvery{1};
constexpr int kPollMs = 100;
// A pipe that poll() calls writable takes this much without blocking (POSIX).
constexpr std::size_t kPipeWrite = 4096;
constexpr mode_t kFileMode = 0640;
// Facility local7, severity informational (RFC 5424 6.2.1), as nginx.
constexpr std::string_view kSyslogPriority = "<190>1 ";

Error file_error(const std::string& path) { return Error{ErrorCode::kFile, Side::kLocal, Retry::kNever, errno, path}; }

Result<Fd> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever, path + ": path too long");
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(file_error(path));
  }
  return socket;
}

Result<Fd> connect_udp(const std::string& target) {
  const auto colon = target.rfind(':');
  std::string host = target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), target.substr(colon + 1).c_str(), &hints, &found) != 0) {
    return fail(ErrorCode::kResolveFailed, Side::kLocal, Retry::kNever, target);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  Fd socket(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0) return fail(file_error(target));
  return socket;
}

}  // namespace

Result<void> AccessLogTarget::open() {
  auto opened = open_descriptor();
  if (!opened) return fail(std::move(opened.error()));
  fd_ = std::move(*opened);
  is_mid_line_ = false;
  return {};
}

Result<Fd> AccessLogTarget::open_descriptor() const {
  switch (options_.target) {
    case AccessLogOptions::Target::kStdout: {
      Fd copy(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
      if (!copy) return fail(file_error("stdout"));
      return copy;
    }
    case AccessLogOptions::Target::kSyslog:
      return options_.path.starts_with('/') ? connect_unix(options_.path) : connect_udp(options_.path);
    case AccessLogOptions::Target::kFile:
    case AccessLogOptions::Target::kOff:
      break;
  }
  // O_NONBLOCK: a named pipe without a reader must not hold up the start.
  Fd file(::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, kFileMode));
  if (!file) return fail(file_error(options_.path));
  return file;
}

std::uint64_t AccessLogTarget::write(std::string_view lines) {
  if (options_.target == AccessLogOptions::Target::kSyslog) return send_datagrams(lines);
  // What follows a line that was cut off, on a full disk for one, is a line of its own.
  if (is_mid_line_ && write_stream("\n").empty()) is_mid_line_ = false;
  const std::string_view left = is_mid_line_ ? lines : write_stream(lines);
  if (left.empty()) return 0;
  if (left.size() < lines.size()) is_mid_line_ = lines[lines.size() - left.size() - 1] != '\n';
  return static_cast<std::uint64_t>(std::ranges::count(left, '\n'));
}

bool AccessLogTarget::is_past_patience() const {
  const std::int64_t give_up_at = give_up_at_ns_;
  return give_up_at != 0 && std::chrono::steady_clock::now().time_since_epoch() >= std::chrono::nanoseconds(give_up_at);
}

std::string_view AccessLogTarget::write_stream(std::string_view bytes) {
  struct stat status {};
  const bool is_file = ::fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode);
  while (!bytes.empty()) {
    if (!is_file) {
      if (is_past_patience()) return bytes;
      pollfd ready{fd_.get(), POLLOUT, 0};
      if (::poll(&ready, 1, kPollMs) == 0) continue;
    }
    const ssize_t written =
        ::write(fd_.get(), bytes.data(), is_file ? bytes.size() : std::min(bytes.size(), kPipeWrite));
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return bytes;
    }
  }
  return bytes;
}

std::uint64_t AccessLogTarget::send_datagrams(std::string_view lines) {
  std::uint64_t lost = 0;
  std::string message;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    message.assign(kSyslogPriority);
    char time[40];
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    message.append(time, std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts));
    // RFC 5424 6.2: no host name, since it is not the clients' to know; application, process, message id, no structured data.
    message += " - rproxy - access - ";
    message += lines.substr(0, end);
    lines.remove_prefix(end + 1);
    if (!send_datagram(message)) ++lost;
  }
  return lost;
}

// A syslog daemon that was restarted has another socket under the same name.
bool AccessLogTarget::send_datagram(std::string_view message) {
  const auto send = [&] { return ::send(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0; };
  if (send()) return true;
  if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now - connected_ < kReconnectEvery) return false;
  connected_ = now;
  return open().has_value() && send();
}

}  // namespace rproxy::proxy
