// What of a request decides where it goes, as a number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rproxy::balance {

struct HashKey {
  enum class Source : std::uint8_t { kClientIp, kUri, kHeader, kCookie, kQuery };
  Source source = Source::kClientIp;
  std::string name{};  // of the header, cookie or query parameter
  bool operator==(const HashKey&) const = default;
};
std::string to_string(const HashKey& key);  // "client_ip", "header:X-User"

// The same number in each process for the same bytes.
std::uint64_t hash_of(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace rproxy::balance
