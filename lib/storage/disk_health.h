// How the disk is doing. A failure costs what was to be stored, and after several in a row nothing is written for a while; it never costs an answer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "base/units.h"
#include "storage/disk_counts.h"
#include "storage/disk_system.h"

namespace rproxy::storage {

// Any thread.
class DiskHealth {
 public:
  static constexpr std::size_t kFailuresInRow = 3;
  static constexpr Duration kPause{10'000};
  static constexpr Duration kLogEach{60'000};

  DiskHealth(const DiskSystem& system, DiskCounts& counts) : system_(system), counts_(counts) {}

  bool may_write() const;
  void has_written();
  void has_failed_to_write(const Error& error);
  void has_failed_to_read(const Error& error);
  void has_found_damage(const std::string& path, const Error& error);

 private:
  // At most one line a minute; it says how many were left out.
  void log(const char* what, const Error& error);

  const DiskSystem& system_;
  DiskCounts& counts_;
  mutable std::mutex mutex_;
  std::atomic<std::size_t> in_row_{0};
  TimePoint pause_end_;
  std::optional<TimePoint> logged_at_;
  std::uint64_t unlogged_ = 0;
};

}  // namespace rproxy::storage
