// Compression Dictionary Transport (RFC 9842).
#include "codec/dictionary.h"

#include <gtest/gtest.h>

#include <thread>

#include "codec/prepared.h"
#include "codec/sizing.h"
#include "support/codings.h"

namespace rproxy::codec {
namespace {

using test::decoded;
using test::encoded;

std::shared_ptr<const Dictionary> dictionary_of(std::string bytes) {
  return Dictionary::make(std::move(bytes)).value();
}

EncoderOptions encoding(Coding coding, std::shared_ptr<const Dictionary> dictionary, std::optional<int> level = {}) {
  auto options = test::encoding(coding, level);
  options.dictionary = std::move(dictionary);
  return options;
}

DecoderOptions decoding(Coding coding, std::shared_ptr<const Dictionary> dictionary) {
  auto options = test::decoding(coding);
  options.dictionary = std::move(dictionary);
  return options;
}

std::vector<Coding> dictionary_codings() {
  return kHasDcb ? std::vector{Coding::kDcz, Coding::kDcb} : std::vector{Coding::kDcz};
}

// The same page, some time later.
std::string edited(const std::string& before) {
  std::string after = before;
  for (std::size_t at = 500; at + 1'000 < after.size(); at += after.size() / 7)
    after.replace(at, 20, "changed in the meantime");
  return after;
}

TEST(Dictionary, HasItsDigest) {
  const auto dictionary = dictionary_of("abc");
  const Sha256 expected{0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                        0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  EXPECT_EQ(dictionary->sha256(), expected);
  EXPECT_EQ(dictionary->bytes(), "abc");
  EXPECT_FALSE(Dictionary::make(""));
  EXPECT_EQ(Dictionary::make(std::string(kDictionarySizeMax + 1, 'a')).error().code, ErrorCode::kLimitReached);
}

TEST(DictionaryCoding, RoundTripsInAnyPieces) {
  Encoders encoders;
  Decoders decoders;
  for (const Coding coding : dictionary_codings()) {
    for (unsigned seed = 0; seed < 30; ++seed) {
      std::mt19937 random(seed);
      const auto before = test::prose(1 + random() % 100'000, seed);
      const auto content =
          random() % 8 == 0 ? std::string() : edited(before) + test::prose(random() % 3'000, seed + 99);
      const auto dictionary = dictionary_of(before);
      const Levels levels = levels_of(coding);
      auto options = encoding(coding, dictionary, random() % 2 == 0 ? levels.usual : levels.max / 2);
      if (random() % 2 == 0) options.size_hint = content.size();
      const auto in_pieces = test::random_pieces(random, 20'000);
      const auto out_pieces = test::random_pieces(random, 20'000);
      const auto bytes = encoded(encoders, options, content, in_pieces, out_pieces);
      const auto back = decoded(decoders, decoding(coding, dictionary), bytes, in_pieces, out_pieces);
      ASSERT_TRUE(back) << describe(back.error()) << " " << seed;
      ASSERT_EQ(*back == content, true) << seed;
    }
  }
}

TEST(DictionaryCoding, SendsWhatChangedAlone) {
  for (const std::size_t size : {20'000U, 300'000U, 3'000'000U}) {
    SCOPED_TRACE(size);
    const auto before = test::prose(size);
    const auto after = edited(before);
    for (const Coding coding : dictionary_codings()) {
      const auto dictionary = dictionary_of(before);
      EXPECT_LT(encoded(encoding(coding, dictionary), after).size(), size / 50) << to_string(coding) << size;
      // In pieces, with and without knowing how long it is going to be.
      Encoders pool;
      auto options = encoding(coding, dictionary);
      EXPECT_LT(encoded(pool, options, after, test::pieces_of(16'384)).size(), size / 50) << to_string(coding) << size;
      options.size_hint = after.size();
      const auto bytes = encoded(pool, options, after, test::pieces_of(16'384));
      EXPECT_LT(bytes.size(), size / 50) << to_string(coding) << size;
      EXPECT_EQ(decoded(decoding(coding, dictionary), bytes).value() == after, true);
    }
  }
}

TEST(DictionaryCoding, BeginsWithItsHeader) {
  using namespace std::string_view_literals;
  const auto dictionary = dictionary_of(test::prose(5'000));
  const std::string digest(dictionary->sha256().begin(), dictionary->sha256().end());
  EXPECT_EQ(encoded(encoding(Coding::kDcz, dictionary), "x").substr(0, 40),
            std::string("\x5e\x2a\x4d\x18\x20\x00\x00\x00"sv) + digest);
  if (kHasDcb) {
    EXPECT_EQ(encoded(encoding(Coding::kDcb, dictionary), "x").substr(0, 36), "\xff\x44\x43\x42" + digest);
  }
}

TEST(DictionaryCoding, IsRefusedWithAnotherDictionary) {
  const auto content = test::prose(20'000);
  const auto dictionary = dictionary_of(test::prose(10'000));
  const auto other = dictionary_of(test::prose(10'001));
  for (const Coding coding : dictionary_codings()) {
    const auto bytes = encoded(encoding(coding, dictionary), content);
    const auto refused = decoded(decoding(coding, other), bytes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBadResponse);
    for (std::size_t size = 1; size < bytes.size(); size += size < 60 ? 1 : 97) {
      const auto cut = decoded(decoding(coding, dictionary), bytes.substr(0, size));
      ASSERT_FALSE(cut) << size;
      EXPECT_EQ(cut.error().code, ErrorCode::kTruncated) << size;
    }
    for (std::size_t at = 0; at < 40; ++at) {
      auto broken = bytes;
      broken[at] = static_cast<char>(broken[at] ^ 1);
      const auto back = decoded(decoding(coding, dictionary), broken);
      EXPECT_FALSE(back && *back == content && at < 36) << at;
    }
    // The plain stream is none, and the other way round.
    const auto plain = coding == Coding::kDcz ? Coding::kZstd : Coding::kBrotli;
    EXPECT_FALSE(decoded(decoding(coding, dictionary), encoded(test::encoding(plain), content)));
    EXPECT_FALSE(decoded(test::decoding(plain), bytes));
  }
}

TEST(DictionaryCoding, TakesBytesAsTheyAreThoughTheyLookLikeAZstdDictionary) {
  const auto dictionary = dictionary_of("\x37\xa4\x30\xec" + test::prose(10'000));
  const auto content = test::prose(9'000);
  const auto bytes = encoded(encoding(Coding::kDcz, dictionary), content);
  EXPECT_LT(bytes.size(), 300U);
  EXPECT_EQ(decoded(decoding(Coding::kDcz, dictionary), bytes).value() == content, true);
}

TEST(DictionaryCoding, KeepsItsWindowWithinWhatClientsHave) {
  EXPECT_EQ(dictionary_window_max(1), 8'388'608U);
  EXPECT_EQ(dictionary_window_max(8'000'000), 10'000'000U);
  EXPECT_EQ(dictionary_window_max(kDictionarySizeMax), 131'072'000U);
  EXPECT_EQ(dictionary_window_max(200'000'000), 134'217'728U);
  for (const std::size_t size : {100U, 1'000'000U, 7'000'000U, 20'000'000U}) {
    const auto dictionary = dictionary_of(std::string(size, 'a'));
    for (const int asked : {10, 23, 27, 40}) {
      auto options = encoding(Coding::kDcz, dictionary);
      options.window_log_max = asked;
      options.size_hint = std::uint64_t{1} << 33U;
      EXPECT_LE(std::uint64_t{1} << sizing_of(options).window_log, dictionary_window_max(size));
    }
  }
}

TEST(DictionaryCoding, SharesATableForEachOfTwoLevels) {
  const auto dictionary = dictionary_of(test::prose(100'000));
  const auto bytes = dictionary->memory();
  EXPECT_GE(bytes, 100'000U);
  auto& prepared = dictionary->prepared();
  const auto third = prepared.for_zstd(3);
  EXPECT_EQ(prepared.for_zstd(3), third);
  const auto fourth = prepared.for_zstd(4);
  EXPECT_NE(fourth, third);
  EXPECT_GT(dictionary->memory(), bytes);
  EXPECT_EQ(prepared.for_zstd(3), third);
  prepared.for_zstd(5);
  EXPECT_EQ(prepared.for_zstd(3), third);
  EXPECT_NE(prepared.for_zstd(4), fourth);
  prepare(encoding(Coding::kDcz, dictionary, 5));
  prepare(test::encoding(Coding::kDcz));
}

TEST(DictionaryCoding, IsSafeInManyThreads) {
  const auto before = test::prose(60'000);
  const auto after = edited(before);
  const auto dictionary = dictionary_of(before);
  std::vector<std::thread> threads;
  std::array<int, 4> good{};
  for (std::size_t i = 0; i < good.size(); ++i) {
    threads.emplace_back([&, i] {
      Encoders encoders;
      Decoders decoders;
      for (int round = 0; round < 12; ++round) {
        const auto bytes = encoded(encoders, encoding(Coding::kDcz, dictionary, 1 + round % 4), after);
        good[i] += static_cast<int>(decoded(decoders, decoding(Coding::kDcz, dictionary), bytes).value_or("") == after);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : good) EXPECT_EQ(count, 12);
}

TEST(DictionaryCoding, LeavesNothingInAPooledContext) {
  const auto before = test::prose(60'000);
  Encoders encoders;
  Decoders decoders;
  const auto content = edited(before);
  std::weak_ptr<const Dictionary> watch;
  {
    const auto dictionary = dictionary_of(before);
    watch = dictionary;
    for (int round = 0; round < 3; ++round) {
      const auto options = encoding(Coding::kDcz, dictionary);
      const auto bytes = encoded(encoders, options, content);
      EXPECT_EQ(bytes == encoded(options, content), true);
      EXPECT_EQ(decoded(decoders, decoding(Coding::kDcz, dictionary), bytes).value() == content, true);
    }
  }
  EXPECT_EQ(encoders.usage().idle, 1U);
  EXPECT_TRUE(watch.expired());
  const auto other = dictionary_of(test::prose(60'000, 2));
  const auto bytes = encoded(encoders, encoding(Coding::kDcz, other), content);
  EXPECT_EQ(decoded(decoders, decoding(Coding::kDcz, other), bytes).value() == content, true);
}

TEST(DictionaryCoding, IsBoundedInItsMemory) {
  const auto before = test::prose(2'000'000);
  const auto after = edited(before) + test::noise(3'000'000);
  const auto dictionary = dictionary_of(before);
  for (const int level : {1, 3, 6, 9, 12, 16}) {
    for (const bool is_hinted : {false, true}) {
      auto options = encoding(Coding::kDcz, dictionary, level);
      if (is_hinted) options.size_hint = after.size();
      const auto part = std::string_view(after).substr(0, level < 10 ? after.size() : 400'000);
      for (const std::size_t piece : {std::size_t{16'384}, after.size()}) {
        Encoders pool;
        auto encoder = pool.take(options).value();
        std::string bytes;
        ASSERT_TRUE(test::encode_into(*encoder, part, Flush::kEnd, bytes, test::pieces_of(piece)));
        EXPECT_LE(encoder.account().bytes_max(), memory_bound(options)) << level << is_hinted << " " << piece;
        Decoders decoders;
        auto decoder = decoders.take(decoding(Coding::kDcz, dictionary)).value();
        std::string back;
        ASSERT_TRUE(test::decode_into(*decoder, bytes, true, back));
        EXPECT_EQ(back == part, true);
        EXPECT_LE(decoder.account().bytes_max(), memory_bound(decoding(Coding::kDcz, dictionary)));
      }
    }
  }
}

}  // namespace
}  // namespace rproxy::codec
