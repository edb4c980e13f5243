#include "proxy/access_log_writer.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace rproxy::proxy {
namespace {

constexpr std::chrono::seconds kStopPatience{1};
constexpr std::chrono::seconds kReportEvery{10};
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

AccessLogWriter::AccessLogWriter(AccessLogOptions options, AccessLogFormat format)
    : options_(std::move(options)), format_(std::move(format)) {}

Result<std::unique_ptr<AccessLogWriter>> AccessLogWriter::open(const AccessLogOptions& options) {
  auto format = AccessLogFormat::compile(options);
  if (!format) return fail(std::move(format.error()));
  std::unique_ptr<AccessLogWriter> writer(new AccessLogWriter(options, std::move(*format)));
  auto target = writer->open_target();
  if (!target) return fail(std::move(target.error()));
  writer->target_ = std::move(*target);
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

AccessLogWriter::~AccessLogWriter() {
  const auto stop_by = (std::chrono::steady_clock::now() + kStopPatience).time_since_epoch();
  stop_by_ns_ = std::chrono::duration_cast<std::chrono::nanoseconds>(stop_by).count();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Result<Fd> AccessLogWriter::open_target() const {
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

void AccessLogWriter::submit(std::string& lines, std::uint64_t count) {
  if (lines.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + lines.size() <= options_.buffer.bytes) {
      queued_bytes_ += lines.size();
      std::string next;
      if (!spare_.empty()) {
        next = std::move(spare_.back());
        spare_.pop_back();
      }
      queue_.push_back(std::exchange(lines, std::move(next)));
    } else {
      dropped_.fetch_add(count, std::memory_order_relaxed);
      drops_to_report_ = true;
    }
  }
  lines.clear();
  wake_.notify_one();
}

void AccessLogWriter::reopen() {
  if (options_.target == AccessLogOptions::Target::kStdout) return;
  {
    const std::lock_guard lock(mutex_);
    reopen_wanted_ = true;
  }
  wake_.notify_one();
}

void AccessLogWriter::run() {
  std::vector<std::string> batches;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || reopen_wanted_ || drops_to_report_ || !queue_.empty(); });
    batches.swap(queue_);
    drops_to_report_ = false;
    const bool reopen_now = std::exchange(reopen_wanted_, false);
    const bool last = stopping_;
    lock.unlock();
    // First, so that nothing submitted after reopen() goes to the old file.
    if (reopen_now) reopen_target();
    for (const std::string& batch : batches) write_batch(batch);
    report_drops(last);
    lock.lock();
    for (std::string& batch : batches) {
      queued_bytes_ -= batch.size();
      batch.clear();
      spare_.push_back(std::move(batch));
    }
    batches.clear();
    if (last && queue_.empty()) return;
  }
}

void AccessLogWriter::reopen_target() {
  auto opened = open_target();
  if (!opened) return log::error("access log not reopened: {}", describe(opened.error()));
  target_ = std::move(*opened);
  is_mid_line_ = false;
  log::info("access log reopened");
}

void AccessLogWriter::write_batch(const std::string& lines) {
  if (options_.target == AccessLogOptions::Target::kSyslog) return send_datagrams(lines);
  // What follows a line that was cut off, on a full disk for one, is a line of its own.
  if (is_mid_line_ && write_stream("\n").empty()) is_mid_line_ = false;
  const std::string_view left = is_mid_line_ ? std::string_view(lines) : write_stream(lines);
  if (left.empty()) return;
  if (left.size() < lines.size()) is_mid_line_ = lines[lines.size() - left.size() - 1] != '\n';
  dropped_.fetch_add(static_cast<std::uint64_t>(std::ranges::count(left, '\n')), std::memory_order_relaxed);
}

bool AccessLogWriter::is_past_patience() const {
  if (!stopping_) return false;
  return std::chrono::steady_clock::now().time_since_epoch() >= std::chrono::nanoseconds(stop_by_ns_);
}

std::string_view AccessLogWriter::write_stream(std::string_view bytes) {
  struct stat status {};
  const bool is_file = ::fstat(target_.get(), &status) == 0 && S_ISREG(status.st_mode);
  while (!bytes.empty()) {
    if (!is_file) {
      if (is_past_patience()) return bytes;
      pollfd ready{target_.get(), POLLOUT, 0};
      if (::poll(&ready, 1, kPollMs) == 0) continue;
    }
    const ssize_t written =
        ::write(target_.get(), bytes.data(), is_file ? bytes.size() : std::min(bytes.size(), kPipeWrite));
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR && errno != EAGAIN) {
      return bytes;
    }
  }
  return bytes;
}

void AccessLogWriter::send_datagrams(std::string_view lines) {
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
    if (!send_datagram(message)) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

// A syslog daemon that was restarted has another socket under the same name.
bool AccessLogWriter::send_datagram(std::string_view message) {
  const auto send = [&] { return ::send(target_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0; };
  if (send()) return true;
  if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now - connected_ < kReconnectEvery) return false;
  connected_ = now;
  auto opened = open_target();
  if (!opened) return false;
  target_ = std::move(*opened);
  return send();
}

void AccessLogWriter::report_drops(bool last) {
  const auto now = std::chrono::steady_clock::now();
  const std::uint64_t dropped = dropped_.load(std::memory_order_relaxed);
  if (dropped == reported_ || (!last && now - last_report_ < kReportEvery)) return;
  log::warn("access log: {} lines dropped: the target does not keep up or can't be written", dropped - reported_);
  reported_ = dropped;
  last_report_ = now;
}

}  // namespace rproxy::proxy
