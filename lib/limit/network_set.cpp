#include "limit/network_set.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "limit/key.h"

namespace rproxy::limit {
namespace {

constexpr std::uint32_t kNoEntry = std::numeric_limits<std::uint32_t>::max();

std::uint64_t big_endian(const IpAddress& address, std::size_t begin, std::size_t size) {
  std::uint64_t out = 0;
  for (std::size_t i = begin; i < begin + size; ++i) out = out << 8 | address.bytes[i];
  return out;
}

bool is_v4_network(const IpNetwork& network) { return network.prefix >= 96 && network.address.is_v4(); }

// Addresses of either kind as numbers.
struct V4Words {
  using Word = std::uint32_t;
  static Word first(const IpNetwork& network) { return static_cast<Word>(big_endian(network.address, 12, 4)); }
  static Word last(const IpNetwork& network) {
    const unsigned host_bits = 128U - network.prefix;
    return first(network) | static_cast<Word>((std::uint64_t{1} << host_bits) - 1);
  }
  // False: there is none.
  static bool advance(Word& word) { return ++word != 0; }
};

struct V6Words {
  using Word = Wide;
  static Word first(const IpNetwork& network) {
    return {big_endian(network.address, 0, 8), big_endian(network.address, 8, 8)};
  }
  static Word last(const IpNetwork& network) {
    constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
    const Word begin = first(network);
    const unsigned prefix = network.prefix;
    if (prefix == 128) return begin;
    if (prefix >= 64) return {begin.high, begin.low | (prefix == 64 ? kAll : kAll >> (prefix - 64))};
    return {begin.high | kAll >> prefix, kAll};
  }
  static bool advance(Word& word) {
    if (++word.low == 0) ++word.high;
    return word != Wide{};
  }
};

// Networks that are in order, larger ones before those within them, as ranges of which each has one value.
template <typename Words>
class Flattening {
 public:
  explicit Flattening(RangeTable<typename Words::Word>& out) : out_(out) { out_.append({}, kNoEntry); }

  void add(const IpNetwork& network, std::uint32_t value) {
    const auto first = Words::first(network);
    while (!around_.empty() && around_.back().last < first) leave();
    out_.append(first, value);
    around_.push_back({Words::last(network), value});
  }
  void finish() {
    while (!around_.empty()) leave();
    out_.make_index();
  }

 private:
  struct Open {
    typename Words::Word last;
    std::uint32_t value;
  };
  // Behind the innermost network is what is left of the one around it.
  void leave() {
    auto next = around_.back().last;
    around_.pop_back();
    // What ends with it goes on with it.
    if (!Words::advance(next) || (!around_.empty() && around_.back().last < next)) return;
    out_.append(next, around_.empty() ? kNoEntry : around_.back().value);
  }

  RangeTable<typename Words::Word>& out_;
  std::vector<Open> around_;  // at most one of each prefix length
};

}  // namespace

NetworkSet::NetworkSet() {
  Flattening<V4Words>(v4_).finish();
  Flattening<V6Words>(v6_).finish();
}

const NetworkSet::Entry* NetworkSet::find(const IpAddress& address) const {
  const IpNetwork single{address, 128};
  const std::uint32_t at = address.is_v4() ? v4_.find(V4Words::first(single)) : v6_.find(V6Words::first(single));
  return at != kNoEntry ? &entries_[at] : nullptr;
}

std::size_t NetworkSet::bytes() const {
  return (entries_.capacity() + left_out_.capacity()) * sizeof(Entry) + texts_.capacity() + v4_.bytes() + v6_.bytes();
}

bool NetworkSetBuilder::add(const IpNetwork& network, std::uint32_t value, std::string_view text, std::uint32_t line) {
  std::string& texts = set_.texts_;
  if (set_.entries_.size() >= kEntriesMax || texts.size() + text.size() > kTextsMax) return false;
  // One file's networks mostly have the same said of them.
  const NetworkSet::Entry* before = set_.entries_.empty() ? nullptr : &set_.entries_.back();
  const bool is_same = before != nullptr && set_.text_of(*before) == text;
  const auto begin = is_same ? before->text_begin : static_cast<std::uint32_t>(texts.size());
  if (!is_same) texts += text;
  set_.entries_.push_back({masked(network), value, line, begin, static_cast<std::uint32_t>(text.size())});
  return true;
}

// Of entries in order.
void NetworkSetBuilder::leave_out_duplicates(NetworkSet& set) {
  auto& entries = set.entries_;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (kept == 0 || entries[kept - 1].network != entries[i].network) {
      entries[kept++] = entries[i];
      continue;
    }
    ++set.duplicates_;
    if (set.left_out_.size() < kLeftOutMax) set.left_out_.push_back(entries[i]);
  }
  entries.resize(kept);
}

NetworkSet NetworkSetBuilder::build() {
  NetworkSet out = std::exchange(set_, NetworkSet());
  auto& entries = out.entries_;
  const auto order = [](const NetworkSet::Entry& entry) {
    return std::tuple(!is_v4_network(entry.network), entry.network.address, entry.network.prefix);
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  leave_out_duplicates(out);
  entries.shrink_to_fit();
  out.texts_.shrink_to_fit();
  out.v4_ = {};
  out.v6_ = {};
  Flattening<V4Words> v4(out.v4_);
  Flattening<V6Words> v6(out.v6_);
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    const IpNetwork& network = entries[i].network;
    if (is_v4_network(network)) {
      v4.add(network, i);
    } else {
      v6.add(network, i);
    }
  }
  v4.finish();
  v6.finish();
  return out;
}

}  // namespace rproxy::limit
