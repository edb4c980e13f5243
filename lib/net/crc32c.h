// CRC-32C (Castagnoli; RFC 3720 appendix B.4).
#pragma once

#include <cstdint>
#include <string_view>

namespace rproxy::net {

// Of `bytes` behind those whose checksum is `before`: the checksum of a text is that of its parts, one after the other.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace rproxy::net
