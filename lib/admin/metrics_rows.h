// The rows of a family of metrics.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace rproxy::admin {

// The series of what is over config.admin.max_series go by this name.
constexpr const char* kOtherSeries = "_other";

// Rows that bear the same labels, or are over the number, are one. Their order stays: that of the configuration.
template <typename T, typename Key = std::string>
class Rows {
 public:
  explicit Rows(std::size_t max) : max_(max) {}

  T& at(const Key& key, const Key& other) {
    if (const auto found = index_.find(key); found != index_.end()) return rows_[found->second].second;
    const bool is_full = index_.size() >= max_ && key != other;
    if (is_full) return at(other, other);
    index_.emplace(key, rows_.size());
    return rows_.emplace_back(std::piecewise_construct, std::forward_as_tuple(key), std::forward_as_tuple()).second;
  }
  const std::deque<std::pair<Key, T>>& all() const { return rows_; }

 private:
  std::size_t max_;
  std::map<Key, std::size_t> index_;
  std::deque<std::pair<Key, T>> rows_;
};

}  // namespace rproxy::admin
