// A quick source of numbers that nobody must foresee for money: SplitMix64.
#pragma once

#include <cstdint>

namespace rproxy::balance {

// Spreads any change of `x` over all bits.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t operator()() { return mix(state_ += 0x9e3779b97f4a7c15U); }
  // Below `n`, which is not 0 and below 2^32.
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(((*this)() >> 32) * n >> 32); }

 private:
  std::uint64_t state_;
};

}  // namespace rproxy::balance
