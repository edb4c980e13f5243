// Base64 (RFC 4648 4) as it streams in gRPC-Web's text form: pieces that are each padded, one behind the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rproxy::http {

// Strict: no line breaks, no other alphabet, every piece padded to groups of four, and no bits set that decode to nothing.
class Base64Decoder {
 public:
  // The most bytes that so much text decodes to, whatever has been held back.
  static constexpr std::size_t size_max(std::size_t text) { return (text + 3) / 4 * 3; }

  // Decodes all of `text` but a last group that is not complete, which is held back. Returns how many bytes were written; nothing where
  // the text is not Base64, after which the decoder is of no more use.
  std::optional<std::size_t> feed(std::string_view text, char* out);

  // Whether the text may end here.
  bool is_complete() const { return held_ == 0; }

 private:
  std::uint32_t group_ = 0;
  std::uint8_t held_ = 0;     // characters of a group that is not complete
  std::uint8_t padding_ = 0;  // those of them that are '='
};

constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes base64_size(bytes.size()) characters, padded; returns their end.
char* write_base64(char* out, std::string_view bytes);

}  // namespace rproxy::http
