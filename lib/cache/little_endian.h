// Numbers in files: the same bytes on every machine.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>

namespace rproxy::cache {

template <std::unsigned_integral T>
void append_number(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
}

// Of `sizeof(T)` bytes.
template <std::unsigned_integral T>
T read_number(const char* bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return static_cast<T>(value);
}

}  // namespace rproxy::cache
