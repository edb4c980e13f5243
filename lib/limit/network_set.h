// Which of many networks an address is in, and what that means: the one with the longest prefix decides. For lists of
// 100,000 networks and more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "limit/range_table.h"

namespace rproxy::limit {

// Immutable: any thread reads it.
//
// IPv4 and IPv6 are apart: ::/0 is all of IPv6 and nothing of IPv4, unlike in IpNetwork::contains().
class NetworkSet {
 public:
  struct Entry {
    IpNetwork network;
    std::uint32_t value = 0;  // the caller's
    std::uint32_t line = 0;   // of its file; 0: of none
    std::uint32_t text_begin = 0;
    std::uint32_t text_size = 0;
  };

  // Of no networks.
  NetworkSet();

  // The entry of the longest prefix that has the address; null: none has. Lives as long as the set. Takes no lock and
  // no memory.
  const Entry* find(const IpAddress& address) const;
  bool contains(const IpAddress& address) const { return find(address) != nullptr; }
  // What was said of it.
  std::string_view text_of(const Entry& entry) const {
    return std::string_view(texts_).substr(entry.text_begin, entry.text_size);
  }

  std::size_t size() const { return entries_.size(); }
  const std::vector<Entry>& entries() const { return entries_; }  // IPv4 first, by address, larger networks first
  // How many were left out, since the same network had been added before; and the first of them.
  std::size_t duplicates() const { return duplicates_; }
  const std::vector<Entry>& left_out() const { return left_out_; }
  // Of memory.
  std::size_t bytes() const;

 private:
  friend class NetworkSetBuilder;

  std::vector<Entry> entries_;
  std::string texts_;
  RangeTable<std::uint32_t> v4_;
  RangeTable<Wide> v6_;
  std::vector<Entry> left_out_;
  std::size_t duplicates_ = 0;
};

// Gathers networks of one file or several.
class NetworkSetBuilder {
 public:
  static constexpr std::size_t kEntriesMax = 50'000'000;
  static constexpr std::size_t kTextsMax = std::size_t{2} << 30;
  static constexpr std::size_t kLeftOutMax = 1'000;  // are told one by one

  // Masked. Of one network the first counts, whatever the value of others. False: there are too many, or too much text;
  // it is left out.
  bool add(const IpNetwork& network, std::uint32_t value, std::string_view text = {}, std::uint32_t line = 0);
  std::size_t size() const { return set_.entries_.size(); }

  // Leaves the builder empty.
  NetworkSet build();

 private:
  static void leave_out_duplicates(NetworkSet& set);

  NetworkSet set_;
};

}  // namespace rproxy::limit
