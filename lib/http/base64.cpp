#include "http/base64.h"

#include <array>

namespace rproxy::http {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();

constexpr unsigned byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

}  // namespace

std::optional<std::size_t> Base64Decoder::feed(std::string_view text, char* out) {
  const char* const begin = out;
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (c == '=') {
      // One or two at a group's end.
      if (held_ < 2) return std::nullopt;
      ++padding_;
    } else if (value == kNone || padding_ > 0) {
      return std::nullopt;
    }
    group_ = group_ << 6 | (c == '=' ? 0U : value);
    if (++held_ < 4) continue;
    // RFC 4648 3.5: what the padding cuts off is zero.
    if (padding_ > 0 && (group_ & ((1U << (8 * padding_)) - 1)) != 0) return std::nullopt;
    for (int i = 0; i < 3 - padding_; ++i) *out++ = static_cast<char>(group_ >> (16 - 8 * i));
    group_ = 0;
    held_ = padding_ = 0;
  }
  return static_cast<std::size_t>(out - begin);
}

char* write_base64(char* out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const unsigned group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[group >> 12 & 63];
    *out++ = i + 1 < bytes.size() ? kAlphabet[group >> 6 & 63] : '=';
    *out++ = i + 2 < bytes.size() ? kAlphabet[group & 63] : '=';
  }
  return out;
}

}  // namespace rproxy::http
