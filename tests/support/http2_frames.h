// HTTP/2 frames by hand (RFC 9113 4.1), for what no library would send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rproxy::test {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string big_endian(std::uint64_t number, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
  return out;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string out = big_endian(payload.size(), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + big_endian(stream, 4) + std::string(payload);
}

// A field line of HPACK that uses no table and no Huffman code (RFC 7541 6.2.2); both below 127 bytes.
inline std::string field_line(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  out += static_cast<char>(name.size());
  out += name;
  out += static_cast<char>(value.size());
  out += value;
  return out;
}

inline std::string request_lines(std::string_view method = "GET", std::string_view path = "/") {
  return field_line(":method", method) + field_line(":scheme", "http") + field_line(":authority", "sim") +
         field_line(":path", path);
}

// The first thing a client says.
inline std::string client_start() { return std::string(kHttp2Preface) + frame(4, 0, 0); }

}  // namespace rproxy::test
