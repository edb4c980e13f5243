#include "base/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace rproxy::log {
namespace {

constexpr std::size_t kQueueMax = 256 * 1024;  // bytes of lines waiting
constexpr int kStopPatienceMs = 1000;

std::atomic<LogLevel> current_level{LogLevel::kInfo};
std::atomic<std::uint64_t> dropped_lines{0};

struct Writer {
  std::mutex mutex;
  std::condition_variable wake;
  std::string queue;
  std::uint64_t unreported = 0;
  bool running = false;
  bool stopping = false;
  std::thread thread;
};

Writer& writer() {
  static Writer instance;
  return instance;
}

std::string format_line(LogLevel level, std::string_view message) {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::string line =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {:<5} ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                  utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000, kLogLevels[static_cast<std::size_t>(level)]);
  // A hostile value must not be able to forge a line of its own.
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  line += '\n';
  return line;
}

// False when the descriptor takes nothing for `patience_ms` or is broken.
bool write_all(std::string_view text, int patience_ms) {
  while (!text.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    const int polled = ::poll(&ready, 1, patience_ms);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return false;
    // At most what a pipe takes at once, so that write() does not block.
    const ssize_t sent = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), 4096));
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void run(Writer& self) {
  std::unique_lock lock(self.mutex);
  for (;;) {
    self.wake.wait(lock, [&] { return self.stopping || !self.queue.empty(); });
    if (self.queue.empty() && self.stopping) return;
    std::string batch = std::exchange(self.queue, {});
    if (const auto lost = std::exchange(self.unreported, 0); lost != 0) {
      batch +=
          format_line(LogLevel::kWarn, fmt::format("{} log lines dropped: the reader of stderr is too slow", lost));
    }
    bool last = self.stopping;
    lock.unlock();
    bool written = write_all(batch, last ? kStopPatienceMs : 100);
    lock.lock();
    if (!written && self.stopping) return;
    if (!written) {
      dropped_lines += 1;
      self.unreported += 1;
    }
  }
}

}  // namespace

void set_level(LogLevel level) { current_level = level; }
LogLevel level() { return current_level; }
std::uint64_t dropped() { return dropped_lines; }

void write(LogLevel level, std::string_view message) {
  if (!enabled(level)) return;
  const std::string line = format_line(level, message);
  Writer& self = writer();
  const std::lock_guard lock(self.mutex);
  if (!self.running) {
    write_all(line, kStopPatienceMs);
    return;
  }
  if (self.queue.size() + line.size() > kQueueMax) {
    ++dropped_lines;
    ++self.unreported;
    return;
  }
  self.queue += line;
  self.wake.notify_one();
}

void start() {
  Writer& self = writer();
  const std::lock_guard lock(self.mutex);
  if (self.running) return;
  self.running = true;
  self.stopping = false;
  self.thread = std::thread([&self] {
    // Signals are for the threads that wait for them.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    run(self);
  });
}

void stop() {
  Writer& self = writer();
  {
    const std::lock_guard lock(self.mutex);
    if (!self.running) return;
    self.stopping = true;
    self.wake.notify_one();
  }
  self.thread.join();
  const std::lock_guard lock(self.mutex);
  self.running = false;
}

}  // namespace rproxy::log
