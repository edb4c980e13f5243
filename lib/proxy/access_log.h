// One worker's access log: lines gather here and go to the writer in batches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "proxy/access_log_writer.h"
#include "proxy/access_record.h"

namespace rproxy::proxy {

class AccessLog {
 public:
  // The writer outlives the log.
  explicit AccessLog(AccessLogWriter& writer)
      : writer_(writer), batch_(std::min<std::size_t>(kBatch, writer.options().buffer.bytes / 4)) {}
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog() { flush(); }

  void write(const AccessRecord& record) {
    writer_.format().append(lines_, record);
    ++count_;
    if (lines_.size() >= batch_) flush();
  }

  void flush() {
    writer_.submit(lines_, count_);
    count_ = 0;
  }

 private:
  static constexpr std::size_t kBatch = 32 * 1024;

  AccessLogWriter& writer_;
  std::size_t batch_;  // a fraction of the writer's buffer, which several workers share
  std::string lines_;
  std::uint64_t count_ = 0;
};

}  // namespace rproxy::proxy
