// What stands for a key in tables and file names. Not collision-proof against who tries: keys are compared as well.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rproxy::cache {

struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const Digest&) const = default;
  static Digest of(std::string_view text);  // the same on every machine

  std::string hex() const;  // 32 digits
  static std::optional<Digest> parse(std::string_view hex);
};

// Of a process's own, so that nobody chooses keys that meet in one bucket.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const {
    const std::uint64_t mixed = (digest.low ^ kSeed) * 0x9e3779b97f4a7c15;
    return mixed ^ (mixed >> 32) ^ digest.high;
  }
  static const std::uint64_t kSeed;
};

}  // namespace rproxy::cache
