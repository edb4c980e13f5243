// One T for each thread that writes, summed when somebody reads.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace rproxy::metrics {

template <typename T>
class Sharded {
 public:
  // That of the thread with this number, for as long as this lives; made at first. Takes a lock: ask once, and keep it.
  T& of(std::size_t shard) {
    const std::lock_guard lock(mutex_);
    if (shards_.size() <= shard) shards_.resize(shard + 1);
    if (!shards_[shard]) shards_[shard] = std::make_unique<T>();
    return *shards_[shard];
  }

  // All of them, on top of what `total` has.
  template <typename Total>
  void add_to(Total& total) const {
    const std::lock_guard lock(mutex_);
    for (const auto& shard : shards_) {
      if (shard) total += *shard;
    }
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<T>> shards_;
};

}  // namespace rproxy::metrics
