// Series by name, so that a route or listener goes on counting where it was when a reload has made it anew.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "metrics/sharded.h"

namespace rproxy::metrics {

template <typename T>
class Registry {
 public:
  // Kept as long as somebody holds it.
  std::shared_ptr<Sharded<T>> get(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= sweep_at_) sweep();
    auto& known = known_[name];
    auto series = known.lock();
    if (!series) known = series = std::make_shared<Sharded<T>>();
    return series;
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return known_.size();
  }

 private:
  // Names that nobody holds any more: once for as many as are added.
  void sweep() {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = 2 * known_.size() + kSpare;
  }

  static constexpr std::size_t kSpare = 64;
  std::size_t sweep_at_ = kSpare;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Sharded<T>>> known_;
};

}  // namespace rproxy::metrics
