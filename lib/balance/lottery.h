// Draws candidates by weight, in constant time as long as most of them take the request.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "balance/alias_table.h"
#include "balance/chooser.h"
#include "balance/random.h"

namespace rproxy::balance {

class Lottery {
 public:
  explicit Lottery(std::uint64_t seed) : random_(seed) {}

  void adopt(std::span<const Candidate> candidates);
  std::size_t size() const { return candidates_.size(); }
  Random& random() { return random_; }

  // Of those that take the request and are not `other`.
  std::optional<std::size_t> draw(const PickRequest& request, std::size_t other = kNobody);

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

  std::optional<std::size_t> draw_of_all(const PickRequest& request, std::size_t other);

  Random random_;
  std::span<const Candidate> candidates_;
  AliasTable table_;
};

}  // namespace rproxy::balance
