// Content that is coming from an upstream, into memory, and onto the disk where there is one.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/cache.h"

namespace rproxy::proxy {

// Where nobody goes on, its readers see that it ends. Of one thread; the cache outlives it.
class CacheFilling {
 public:
  // `size_max`: of what is stored.
  CacheFilling(storage::Cache& cache, cache::EntryPtr entry, std::uint64_t size_max);
  CacheFilling(const CacheFilling&) = delete;
  CacheFilling& operator=(const CacheFilling&) = delete;
  ~CacheFilling();

  // Before anything comes: whether there is room for it somewhere.
  bool can_be_kept() const { return is_spilling_ || !is_large_; }
  bool is_stored() const { return is_stored_; }

  void append(std::string_view bytes);
  void finish();
  void fail(Error error);

 private:
  void begin_writing();
  void write(std::string_view bytes);
  // More than memory takes: the rest goes onto the disk alone, or is not stored.
  void outgrow();
  // It is not stored after all.
  void give_up();
  void uncount();

  storage::Cache& cache_;
  const cache::EntryPtr entry_;
  const std::uint64_t size_max_;
  const std::uint64_t memory_max_;
  std::shared_ptr<storage::DiskWriting> writing_;
  bool is_large_ = false;  // for memory, as it is now
  bool is_spilling_ = false;
  bool is_stored_ = true;
  bool is_over_ = false;
  std::int64_t counted_ = 0;
};

}  // namespace rproxy::proxy
