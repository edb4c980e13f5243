// Base64 by RFC 4648 10's vectors, whole, split at every position, and one piece behind the other.
#include "http/base64.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace rproxy::http {
namespace {

std::optional<std::string> decode(std::string_view text, std::size_t step) {
  Base64Decoder decoder;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const auto piece = text.substr(at, step);
    char buffer[256];
    const auto size = decoder.feed(piece, buffer);
    if (!size) return std::nullopt;
    EXPECT_LE(*size, Base64Decoder::size_max(piece.size()));
    out.append(buffer, *size);
  }
  if (!decoder.is_complete()) return std::nullopt;
  return out;
}

std::string encode(std::string_view bytes) {
  std::string out(base64_size(bytes.size()), '?');
  EXPECT_EQ(write_base64(out.data(), bytes), out.data() + out.size());
  return out;
}

struct Case {
  const char* bytes;
  const char* text;
};
constexpr Case kVectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xfe\xfb", "//77"},
};

TEST(Base64, EncodesAndDecodesTheVectors) {
  for (const Case& each : kVectors) {
    EXPECT_EQ(encode(each.bytes), each.text);
    EXPECT_EQ(decode(each.text, 100), each.bytes) << each.text;
  }
}

TEST(Base64, DecodesPiecesWhereverTheyAreSplit) {
  for (const Case& first : kVectors) {
    for (const Case& second : kVectors) {
      const std::string text = std::string(first.text) + second.text;
      const std::string bytes = std::string(first.bytes) + second.bytes;
      for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(decode(text, step), bytes) << text << step;
    }
  }
}

TEST(Base64, RefusesWhatIsNotItWhereverItIsSplit) {
  const char* cases[] = {
      "Z",    "Zg",     "Zg=",      "Zm8",  "=",    "Z===", "====", "Zg=v",  "Zm=v",  "Zg===",  "Zm9v=",
      "Zm9 ", "Zm\n9v", "Zm9v\r\n", "Z-_v", "Zm9*", "Zh==", "Zm9=", "Zm9vZ", "Zg==Z", "Zg==Zg", "\xff\xff\xff\xff",
  };
  for (const std::string text : cases) {
    for (std::size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(decode(text, step), std::nullopt) << text << step;
  }
}

}  // namespace
}  // namespace rproxy::http
