#include "proxy/access_log_writer.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace rproxy::proxy {
namespace {

constexpr std::chrono::seconds kStopPatience{1};
constexpr std::chrono::seconds kReportEvery{10};

}  // namespace

AccessLogWriter::AccessLogWriter(AccessLogOptions options, AccessLogFormat format)
    : options_(std::move(options)), format_(std::move(format)), target_(options_) {}

Result<std::unique_ptr<AccessLogWriter>> AccessLogWriter::open(const AccessLogOptions& options) {
  auto format = AccessLogFormat::compile(options);
  if (!format) return fail(std::move(format.error()));
  std::unique_ptr<AccessLogWriter> writer(new AccessLogWriter(options, std::move(*format)));
  if (auto opened = writer->target_.open(); !opened) return fail(std::move(opened.error()));
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

AccessLogWriter::~AccessLogWriter() {
  const auto stop_by = (std::chrono::steady_clock::now() + kStopPatience).time_since_epoch();
  target_.give_up_at(std::chrono::duration_cast<std::chrono::nanoseconds>(stop_by));
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
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
    for (const std::string& batch : batches) dropped_.fetch_add(target_.write(batch), std::memory_order_relaxed);
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
  if (auto opened = target_.open(); !opened) return log::error("access log not reopened: {}", describe(opened.error()));
  log::info("access log reopened");
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
