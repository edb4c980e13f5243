// The endpoints that one request has been to, by EndpointState::id(): any number of them, mostly none or one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rproxy::balance {

class TriedSet {
 public:
  void add(std::uint64_t id) {
    if (has(id)) return;
    if (size_ < kNear) {
      near_[size_] = id;
    } else {
      far_.push_back(id);
    }
    ++size_;
  }
  bool has(std::uint64_t id) const {
    const auto near_end = near_.begin() + static_cast<std::ptrdiff_t>(std::min(size_, kNear));
    return std::find(near_.begin(), near_end, id) != near_end || std::find(far_.begin(), far_.end(), id) != far_.end();
  }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kNear = 4;  // more tries than that are rare, and may allocate

  std::array<std::uint64_t, kNear> near_{};
  std::vector<std::uint64_t> far_;
  std::size_t size_ = 0;
};

}  // namespace rproxy::balance
