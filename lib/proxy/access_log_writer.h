// Takes batches of access log lines from all workers to a file, stdout or syslog, on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "proxy/access_log_format.h"
#include "proxy/access_log_options.h"
#include "proxy/access_log_target.h"

namespace rproxy::proxy {

class AccessLogWriter {
 public:
  // Errors: kFile (can't be opened), kConfig (template), kResolveFailed (syslog host).
  static Result<std::unique_ptr<AccessLogWriter>> open(const AccessLogOptions& options);
  AccessLogWriter(const AccessLogWriter&) = delete;
  AccessLogWriter& operator=(const AccessLogWriter&) = delete;
  // Writes what is queued, for at most a second.
  ~AccessLogWriter();

  // Whole lines. Never waits for the target: a batch that finds the queue full is dropped and counted. `lines` is left empty, perhaps
  // with the capacity of an earlier batch.
  void submit(std::string& lines, std::uint64_t count);
  // Opens the file anew (it was renamed); the old one stays in use if that fails, which is logged.
  void reopen();
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  const AccessLogFormat& format() const { return format_; }
  const AccessLogOptions& options() const { return options_; }

 private:
  AccessLogWriter(AccessLogOptions options, AccessLogFormat format);
  void run();
  void reopen_target();
  void report_drops(bool last);

  AccessLogOptions options_;
  AccessLogFormat format_;
  AccessLogTarget target_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> queue_;  // batches
  std::vector<std::string> spare_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  bool reopen_wanted_ = false;
  bool drops_to_report_ = false;
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t reported_ = 0;
  std::chrono::steady_clock::time_point last_report_;
  std::thread thread_;
};

}  // namespace rproxy::proxy
