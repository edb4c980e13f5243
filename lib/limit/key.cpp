#include "limit/key.h"

#include <xxhash.h>

#include <algorithm>
#include <random>

namespace rproxy::limit {
namespace {

// SplitMix64's last step: any change of `x` changes each bit of it by half a chance.
constexpr std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15U;

}  // namespace

KeyHasher KeyHasher::random() {
  KeyHasher out;
  std::random_device device;
  for (auto& word : out.secret_) word = (std::uint64_t{device()} << 32) | device();
  return out;
}

KeyHasher::KeyHasher(std::uint64_t seed) {
  for (auto& word : secret_) word = spread(seed += kGoldenRatio);
}

Key KeyHasher::of(std::uint32_t scope, std::string_view bytes) const {
  const std::uint64_t hash = XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret_.data(), sizeof secret_);
  return {spread(hash ^ ((scope + 1) * kGoldenRatio))};
}

Key KeyHasher::of(std::uint32_t scope, const IpAddress& address) const {
  return of(scope, {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
}

IpNetwork masked(const IpNetwork& network) {
  IpNetwork out{network.address, std::min<std::uint8_t>(network.prefix, 128)};
  auto& bytes = out.address.bytes;
  const std::size_t whole = out.prefix / 8;
  if (whole == bytes.size()) return out;
  bytes[whole] = static_cast<std::uint8_t>(bytes[whole] & ~(0xffU >> (out.prefix % 8)));
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(whole) + 1, bytes.end(), std::uint8_t{0});
  return out;
}

IpNetwork client_network(const IpAddress& address, const ClientPrefix& prefix) {
  const unsigned v4 = 96U + std::min<unsigned>(prefix.v4, 32);
  return masked({address, address.is_v4() ? static_cast<std::uint8_t>(v4) : prefix.v6});
}

}  // namespace rproxy::limit
