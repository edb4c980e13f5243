// Whatever goes in comes out again, at any level, in pieces of any size on either side.
#include <gtest/gtest.h>

#include "codec/sizing.h"
#include "support/codings.h"

namespace rproxy::codec {
namespace {

using test::decoded;
using test::decoding;
using test::encoded;
using test::encoding;

std::vector<int> some_levels(Coding coding) {
  const Levels levels = levels_of(coding);
  return {levels.min, levels.usual, (levels.usual + levels.max) / 2, levels.max};
}

std::string any_content(std::mt19937& random) {
  const std::size_t size = random() % 5 == 0 ? random() % 20 : random() % 60'000;
  switch (random() % 4) {
    case 0:
      return test::noise(size, random());
    case 1:
      return std::string(size, 'a');
    case 2:
      return test::prose(size / 2, random()) + test::noise(size / 4, random()) + test::prose(size / 4, random());
    default:
      return test::prose(size, random());
  }
}

TEST(RoundTrip, HoldsForAnyContentInAnyPieces) {
  Encoders encoders;
  Decoders decoders;
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const std::string content = any_content(random);
    for (const Coding coding : test::kStreamCodings) {
      const auto levels = some_levels(coding);
      auto options = encoding(coding, levels[random() % levels.size()]);
      // A hint that is right, wrong either way, or none.
      if (random() % 2 == 0) options.size_hint = content.size();
      if (random() % 4 == 0) options.size_hint = random() % 200'000;
      if (random() % 3 == 0) options.window_log_max = static_cast<int>(random() % 26);
      if (random() % 3 == 0) options.padding = random() % (2 * kPaddingMax);
      const auto in_pieces = test::random_pieces(random, 1 + random() % 20'000);
      const auto out_pieces = test::random_pieces(random, 1 + random() % 20'000);
      const auto bytes = encoded(encoders, options, content, in_pieces, out_pieces);
      const auto back = decoded(decoders, decoding(coding), bytes, in_pieces, out_pieces);
      ASSERT_TRUE(back) << describe(back.error()) << " seed " << seed << " " << to_string(coding);
      ASSERT_EQ(*back == content, true) << "seed " << seed << " " << to_string(coding);
    }
  }
}

TEST(RoundTrip, HoldsAtEveryLevel) {
  const std::string content = test::prose(40'000) + test::noise(3'000) + std::string(50'000, 'x');
  Encoders encoders;
  for (const Coding coding : test::kStreamCodings) {
    const Levels levels = levels_of(coding);
    for (int level = levels.min; level <= levels.max; ++level) {
      const auto bytes = encoded(encoders, encoding(coding, level), content);
      EXPECT_LT(bytes.size(), content.size() / 3) << to_string(coding) << level;
      const auto back = decoded(decoding(coding), bytes);
      ASSERT_TRUE(back) << to_string(coding) << level;
      EXPECT_EQ(*back == content, true) << to_string(coding) << level;
    }
  }
}

TEST(RoundTrip, PaddingIsAsLongAsItIsToBeAndForgottenByTheNext) {
  const std::string content = test::prose(3'000);
  Encoders encoders;
  for (const Coding coding : {Coding::kGzip, Coding::kBrotli, Coding::kZstd}) {
    auto options = encoding(coding);
    const std::size_t plain = encoded(encoders, options, content).size();
    for (const std::size_t padding : {1, 100, 1000}) {
      options.padding = padding;
      const auto bytes = encoded(encoders, options, content);
      EXPECT_GE(bytes.size(), plain + padding) << to_string(coding);
      EXPECT_LE(bytes.size(), plain + padding + 12) << to_string(coding);
      const auto back = decoded(decoding(coding), bytes);
      ASSERT_TRUE(back) << to_string(coding) << padding << describe(back.error());
      EXPECT_EQ(*back, content) << to_string(coding);
    }
    options.padding = 0;
    EXPECT_EQ(encoded(encoders, options, content).size(), plain) << to_string(coding);
  }
}

TEST(RoundTrip, HoldsByteByByte) {
  const std::string content = test::prose(3'000);
  Encoders encoders;
  Decoders decoders;
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoders, encoding(coding), content, test::pieces_of(1), test::pieces_of(1));
    const auto back = decoded(decoders, decoding(coding), bytes, test::pieces_of(1), test::pieces_of(1));
    ASSERT_TRUE(back) << to_string(coding);
    EXPECT_EQ(*back, content);
  }
}

TEST(RoundTrip, HoldsForNothingAtAll) {
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), "");
    EXPECT_FALSE(bytes.empty()) << to_string(coding);
    const auto back = decoded(decoding(coding), bytes);
    ASSERT_TRUE(back) << to_string(coding);
    EXPECT_EQ(*back, "");
    // Not even a stream is nothing as well.
    EXPECT_EQ(decoded(decoding(coding), "").value_or("failed"), "") << to_string(coding);
  }
}

TEST(RoundTrip, GrowsNoiseByLittle) {
  const std::string content = test::noise(300'000);
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), content);
    EXPECT_LT(bytes.size(), content.size() + 400) << to_string(coding);
    EXPECT_EQ(decoded(decoding(coding), bytes).value() == content, true);
  }
}

// The peer has all that was flushed, and the stream goes on.
TEST(Flush, MakesAllSoFarDecodable) {
  for (const Coding coding : test::kStreamCodings) {
    for (const std::size_t room : {1U, 2U, 5U, 6U, 17U, 4096U}) {
      Encoders encoders;
      Decoders decoders;
      auto encoder = encoders.take(encoding(coding)).value();
      auto decoder = decoders.take(decoding(coding)).value();
      std::string content;
      std::string back;
      std::mt19937 random(room);
      for (int event = 0; event < 30; ++event) {
        const std::string text = event == 0 ? "" : test::prose(1 + random() % 700, random());
        content += text;
        std::string bytes;
        ASSERT_TRUE(
            test::encode_into(*encoder, text, Flush::kFlush, bytes, test::pieces_of(100), test::pieces_of(room)));
        ASSERT_TRUE(test::decode_into(*decoder, bytes, false, back));
        ASSERT_EQ(back, content) << to_string(coding) << " after event " << event << " by " << room;
      }
      std::string bytes;
      ASSERT_TRUE(test::encode_into(*encoder, "", Flush::kEnd, bytes, test::pieces_of(1), test::pieces_of(room)));
      ASSERT_TRUE(test::decode_into(*decoder, bytes, true, back)) << to_string(coding);
      EXPECT_EQ(back, content);
    }
  }
}

TEST(Flush, CostsLittleWhereNothingIsNew) {
  for (const Coding coding : test::kStreamCodings) {
    Encoders encoders;
    auto encoder = encoders.take(encoding(coding)).value();
    std::string bytes;
    ASSERT_TRUE(test::encode_into(*encoder, "data: 1\n\n", Flush::kFlush, bytes));
    const auto size = bytes.size();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(test::encode_into(*encoder, "", Flush::kFlush, bytes));
    EXPECT_EQ(bytes.size(), size) << to_string(coding);
  }
}

TEST(SizeHint, MakesSmallContentsCheap) {
  const std::string content = test::prose(2'000);
  for (const Coding coding : test::kStreamCodings) {
    const auto memory_for = [&](std::optional<std::uint64_t> hint) {
      auto options = encoding(coding, levels_of(coding).usual);
      options.size_hint = hint;
      Encoders pool;
      auto encoder = pool.take(options).value();
      std::string bytes;
      // In two pieces: of one zstd would know its size.
      EXPECT_TRUE(test::encode_into(*encoder, content, Flush::kEnd, bytes, test::pieces_of(1'500)));
      EXPECT_EQ(decoded(decoding(coding), bytes).value_or("failed"), content);
      EXPECT_LE(encoder.account().bytes_max(), memory_bound(options)) << to_string(coding);
      return encoder.account().bytes_max();
    };
    EXPECT_LT(memory_for(content.size()), memory_for(std::nullopt) * 3 / 4 + 40'000) << to_string(coding);
  }
}

}  // namespace
}  // namespace rproxy::codec
