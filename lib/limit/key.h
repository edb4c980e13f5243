// Whom a limit is about, as 64 bits: what the tables of this room are looked up by.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/address.h"

namespace rproxy::limit {

// Among a million, two are the same once in 37 million times.
struct Key {
  std::uint64_t value = 0;
  auto operator<=>(const Key&) const = default;
};

// XXH3 under a secret of the process, so that nobody outside can look for names that share a place in a table. One for
// the life of the tables it is used with. Any thread.
class KeyHasher {
 public:
  // From the system's source of random numbers; throws std::exception where there is none.
  static KeyHasher random();
  // The same keys for the same seed: for tests.
  explicit KeyHasher(std::uint64_t seed);

  // `scope` tells limits apart that have a table in common: one that changes so much that it shall begin anew gets
  // another.
  Key of(std::uint32_t scope, std::string_view bytes) const;
  Key of(std::uint32_t scope, const IpAddress& address) const;

 private:
  KeyHasher() = default;

  std::array<std::uint64_t, 24> secret_{};  // as long as XXH3's own
};

// With the bits behind the prefix zero.
IpNetwork masked(const IpNetwork& network);

// How much of an address tells clients apart. A client has a whole IPv6 /64, often more, and would have as many keys as
// it wants.
struct ClientPrefix {
  std::uint8_t v4 = 32;  // 0 to 32
  std::uint8_t v6 = 64;  // 0 to 128
  bool operator==(const ClientPrefix&) const = default;
};

// Whom the address stands for, masked.
IpNetwork client_network(const IpAddress& address, const ClientPrefix& prefix = {});

}  // namespace rproxy::limit
