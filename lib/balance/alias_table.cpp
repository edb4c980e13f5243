#include "balance/alias_table.h"

#include <numeric>

namespace rproxy::balance {

AliasTable::AliasTable(std::span<const std::uint32_t> weights) : columns_(weights.size()) {
  // In units of which the mean weight has as many as all weights have: whole numbers throughout.
  const std::uint64_t mean = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  std::vector<std::uint64_t> left(weights.size());
  std::vector<std::uint32_t> below;
  std::vector<std::uint32_t> above;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    left[i] = std::uint64_t{weights[i]} * weights.size();
    (left[i] < mean ? below : above).push_back(i);
    columns_[i] = {std::uint64_t{1} << 32, i, i};
  }
  while (!below.empty() && !above.empty()) {
    const std::uint32_t poor = below.back();
    const std::uint32_t rich = above.back();
    below.pop_back();
    const double share = static_cast<double>(left[poor]) / static_cast<double>(mean);
    columns_[poor] = {static_cast<std::uint64_t>(share * 4294967296.0), poor, rich};
    left[rich] -= mean - left[poor];
    if (left[rich] < mean) {
      above.pop_back();
      below.push_back(rich);
    }
  }
}

}  // namespace rproxy::balance
