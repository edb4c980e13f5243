// What an encoder or decoder takes, counted by its own allocator, stays below what was promised.
#include <gtest/gtest.h>

#include "codec/sizing.h"
#include "support/codings.h"

namespace rproxy::codec {
namespace {

using test::encoding;

// Many short matches: of all contents the one that a coder has most to remember of.
std::string fragments(std::size_t size) {
  std::mt19937 random(3);
  std::vector<std::string> words(4'000);
  for (std::string& word : words) word = test::noise(4 + random() % 3, random());
  std::string text;
  while (text.size() < size) text += words[random() % words.size()] + static_cast<char>(random());
  return text;
}

void expect_bounded(const EncoderOptions& options, std::string_view content, std::size_t piece) {
  Encoders pool;
  auto encoder = pool.take(options).value();
  std::string bytes;
  ASSERT_TRUE(test::encode_into(*encoder, content, Flush::kEnd, bytes, test::pieces_of(piece)));
  EXPECT_LE(encoder.account().bytes_max(), memory_bound(options))
      << to_string(options.coding) << options.level.value_or(0) << " window " << options.window_log_max.value_or(0);
  EXPECT_EQ(pool.usage().leased_bytes, encoder.account().bytes());
}

TEST(EncoderMemory, IsBoundedAtEveryLevel) {
  const std::string content = fragments(1'300'000) + test::prose(200'000) + test::noise(300'000);
  for (const Coding coding : test::kStreamCodings) {
    const Levels levels = levels_of(coding);
    for (int level = levels.min; level <= levels.max; ++level) {
      const bool is_slow = level > 9;
      const auto part = std::string_view(content).substr(0, is_slow ? 200'000 : content.size());
      auto options = encoding(coding, level);
      expect_bounded(options, part, 16'384);
      expect_bounded(options, part, part.size());
      if (is_slow) continue;
      options.size_hint = content.size();
      options.window_log_max = 16;
      expect_bounded(options, content, 1U << 24U);
    }
  }
}

TEST(EncoderMemory, IsBoundedForContentsGivenWhole) {
  Encoders pool;
  for (const std::size_t size : {0U, 100U, 5'000U, 16'000U, 100'000U, 200'000U}) {
    const std::string content = fragments(size);
    for (int level = 1; level <= 19; ++level)
      expect_bounded(encoding(Coding::kZstd, level), content, content.size() + 1);
  }
}

// As an operator should be able to count on with the levels and windows that are usual.
TEST(EncoderMemory, IsAFewMegabytesAtMost) {
  EXPECT_LE(memory_bound(encoding(Coding::kGzip)), 190U * 1024);
  EXPECT_LE(memory_bound(encoding(Coding::kDeflate)), 190U * 1024);
  EXPECT_LE(memory_bound(encoding(Coding::kGzip, 6)), 272U * 1024);
  EXPECT_LE(memory_bound(encoding(Coding::kZstd)), 2'500U * 1024);
  EXPECT_LE(memory_bound(encoding(Coding::kBrotli)), 6'500U * 1024);
  auto small = encoding(Coding::kZstd);
  small.size_hint = 4'000;
  EXPECT_LE(memory_bound(small), 400U * 1024);
  small.coding = Coding::kGzip;
  small.level = 6;
  EXPECT_LE(memory_bound(small), 110U * 1024);
  EXPECT_LE(memory_bound(encoding(Coding::kZstd, 19)), 12'000U * 1024);
}

TEST(DecoderMemory, IsBoundedByTheWindow) {
  const std::string content = fragments(3'000'000) + test::noise(200'000);
  for (const Coding coding : test::kStreamCodings) {
    auto sent = encoding(coding);
    sent.window_log_max = 30;
    const auto bytes = test::encoded(sent, content);
    const auto options = test::decoding(coding);
    Decoders pool;
    auto decoder = pool.take(options).value();
    std::string back;
    ASSERT_TRUE(test::decode_into(*decoder, bytes, true, back, test::pieces_of(8'192)));
    EXPECT_LE(decoder.account().bytes_max(), memory_bound(options)) << to_string(coding);
  }
  EXPECT_LE(memory_bound(test::decoding(Coding::kGzip)), 48U * 1024);
  EXPECT_LE(memory_bound(test::decoding(Coding::kZstd)), 10U * 1024 * 1024);
  EXPECT_LE(memory_bound(test::decoding(Coding::kBrotli)), 32U * 1024 * 1024);
}

TEST(Sizing, StaysWithinWhatEveryDecoderTakes) {
  for (const int asked : {-1, 0, 5, 9, 15, 19, 23, 24, 31, 64}) {
    for (const Coding coding : test::kStreamCodings) {
      for (const std::optional<std::uint64_t>& hint :
           {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(0), std::optional<std::uint64_t>(1U << 30U),
            std::optional<std::uint64_t>(~std::uint64_t{0})}) {
        auto options = encoding(coding, asked);
        options.window_log_max = asked;
        options.size_hint = hint;
        const Sizing sizing = sizing_of(options);
        const Levels levels = levels_of(coding);
        EXPECT_GE(sizing.level, levels.min);
        EXPECT_LE(sizing.level, levels.max);
        EXPECT_GE(sizing.window_log, 9);
        const int most = coding == Coding::kZstd ? 23 : coding == Coding::kBrotli ? 24 : 15;
        EXPECT_LE(sizing.window_log, most) << to_string(coding);
        EXPECT_GT(memory_bound(options), 0U);
        // And the libraries take all of it.
        Encoders pool;
        EXPECT_TRUE(pool.take(options)) << to_string(coding) << " " << asked;
      }
    }
  }
}

}  // namespace
}  // namespace rproxy::codec
