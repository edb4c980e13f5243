#include "balance/hash.h"

#include "balance/random.h"

namespace rproxy::balance {

std::string to_string(const HashKey& key) {
  switch (key.source) {
    case HashKey::Source::kClientIp:
      break;
    case HashKey::Source::kUri:
      return "uri";
    case HashKey::Source::kHeader:
      return "header:" + key.name;
    case HashKey::Source::kCookie:
      return "cookie:" + key.name;
    case HashKey::Source::kQuery:
      return "query:" + key.name;
  }
  return "client_ip";
}

// FNV-1a; alone it leaves the high bits of short keys alike.
std::uint64_t hash_of(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ mix(seed);
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return mix(hash);
}

}  // namespace rproxy::balance
