#include "exchange/request_ids.h"

#include <cstddef>
#include <random>

namespace rproxy::exchange {

RequestIds::RequestIds() {
  std::random_device random;
  for (auto& word : state_) word = (std::uint64_t{random()} << 32) | random();
}

// xorshift128+
std::uint64_t RequestIds::next() {
  std::uint64_t s1 = state_[0];
  const std::uint64_t s0 = state_[1];
  const std::uint64_t result = s0 + s1;
  state_[0] = s0;
  s1 ^= s1 << 23;
  state_[1] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
  return result;
}

std::string_view RequestIds::make(Arena& arena) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::size_t kSize = 32;
  char* out = arena.allocate(kSize);
  for (std::size_t word = 0; word < 2; ++word) {
    std::uint64_t bits = next();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) out[word * 16 + i] = kDigits[bits & 15];
  }
  return {out, kSize};
}

}  // namespace rproxy::exchange
