#include "cache/digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <random>

namespace rproxy::cache {

const std::uint64_t DigestHash::kSeed = [] {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}();

Digest Digest::of(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

std::string Digest::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

std::optional<Digest> Digest::parse(std::string_view hex) {
  if (hex.size() != 32) return std::nullopt;
  Digest digest;
  const auto read = [&](std::size_t at, std::uint64_t& out) {
    const char* const end = hex.data() + at + 16;
    const auto [stop, error] = std::from_chars(hex.data() + at, end, out, 16);
    return error == std::errc() && stop == end;
  };
  if (!read(0, digest.high) || !read(16, digest.low) || digest.hex() != hex) return std::nullopt;
  return digest;
}

}  // namespace rproxy::cache
