// Where an access log goes: a file, stdout or syslog.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "proxy/access_log_options.h"

namespace rproxy::proxy {

class AccessLogTarget {
 public:
  // `options` outlives the target.
  explicit AccessLogTarget(const AccessLogOptions& options) : options_(options) {}

  // Anew where it is open, and that stays in use if this fails. Errors: kFile, kResolveFailed (syslog host).
  Result<void> open();

  // Whole lines; waits for a reader. How many were lost.
  std::uint64_t write(std::string_view lines);

  // From any thread: from then on (of the steady clock) write() waits for nobody.
  void give_up_at(std::chrono::nanoseconds time) { give_up_at_ns_ = time.count(); }

 private:
  Result<Fd> open_descriptor() const;
  // Gives back what could not be written.
  std::string_view write_stream(std::string_view bytes);
  std::uint64_t send_datagrams(std::string_view lines);
  bool send_datagram(std::string_view message);
  bool is_past_patience() const;

  const AccessLogOptions& options_;
  Fd fd_;
  bool is_mid_line_ = false;  // it ends in a line that was cut off
  std::chrono::steady_clock::time_point connected_;
  std::atomic<std::int64_t> give_up_at_ns_{0};
};

}  // namespace rproxy::proxy
