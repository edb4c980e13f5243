// Contexts come back as if they were new, and what a pool keeps is bounded.
#include "codec/pool.h"

#include <gtest/gtest.h>

#include "codec/sizing.h"
#include "support/codings.h"

namespace rproxy::codec {
namespace {

using test::decoded;
using test::decoding;
using test::encoded;
using test::encoding;

TEST(EncoderPool, GivesTheSameBytesEachTime) {
  const std::string content = test::prose(70'000);
  for (const Coding coding : test::kStreamCodings) {
    const Levels levels = levels_of(coding);
    std::vector<EncoderOptions> all;
    for (const int level : {levels.usual, levels.max, levels.min, levels.usual}) {
      all.push_back(encoding(coding, level));
      all.push_back(all.back());
      all.back().size_hint = content.size();
      all.push_back(all.back());
      all.back().window_log_max = 12;
    }
    Encoders pool;
    for (const auto& options : all) {
      EXPECT_EQ(encoded(pool, options, content) == encoded(options, content), true) << to_string(coding);
    }
    EXPECT_EQ(pool.usage().idle, 1U);
  }
}

TEST(EncoderPool, ForgetsAStreamLeftInTheMiddle) {
  const std::string content = test::prose(70'000);
  for (const Coding coding : test::kStreamCodings) {
    Encoders pool;
    for (const Flush flush : {Flush::kNone, Flush::kFlush}) {
      auto encoder = pool.take(encoding(coding)).value();
      std::string room(10, '\0');
      ASSERT_TRUE(encoder->encode(test::noise(5'000), room, flush));
    }
    EXPECT_EQ(encoded(pool, encoding(coding), content) == encoded(encoding(coding), content), true);
  }
}

TEST(DecoderPool, ForgetsAStreamLeftInTheMiddleOrBroken) {
  const std::string content = test::prose(70'000);
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), content);
    Decoders pool;
    for (int round = 0; round < 3; ++round) {
      {
        auto decoder = pool.take(decoding(coding)).value();
        std::string room(10, '\0');
        ASSERT_TRUE(decoder->decode(std::string_view(bytes).substr(0, bytes.size() / 2), room, false));
      }
      EXPECT_FALSE(decoded(pool, decoding(coding), "\x7f nonsense that is nothing of the kind"));
      EXPECT_EQ(decoded(pool, decoding(coding), bytes).value() == content, true) << to_string(coding);
    }
    EXPECT_EQ(pool.usage().idle, 1U);
    EXPECT_EQ(pool.usage().leased, 0U);
  }
}

TEST(Pool, AsksTheHeapForNothingOnceItIsWarm) {
  const std::string content = test::prose(300'000);
  for (const Coding coding : test::kStreamCodings) {
    Encoders encoders;
    Decoders decoders;
    std::uint64_t calls = 0;
    for (int round = 0; round < 5; ++round) {
      const auto bytes = encoded(encoders, encoding(coding), content, test::pieces_of(16'384));
      ASSERT_TRUE(decoded(decoders, decoding(coding), bytes, test::pieces_of(16'384)));
      if (round == 1) calls = encoders.heap_calls() + decoders.heap_calls();
    }
    EXPECT_TRUE(!Memory::kRecycles || encoders.heap_calls() + decoders.heap_calls() == calls) << to_string(coding);
  }
}

TEST(Pool, KeepsNoMoreThanItsLimits) {
  PoolLimits limits;
  limits.idle_max = 2;
  limits.spare_bytes_max = 1'000'000;
  limits.idle_bytes_max = 1'500'000;
  Encoders pool(limits);
  {
    std::vector<Encoders::Lease> leases;
    std::size_t bytes = 0;
    for (const Coding coding : test::kStreamCodings) {
      for (int i = 0; i < 4; ++i) {
        leases.push_back(pool.take(encoding(coding)).value());
        std::string room(100, '\0');
        ASSERT_TRUE(leases.back()->encode(test::prose(300'000), room, Flush::kNone));
      }
    }
    for (const auto& lease : leases) bytes += lease.account().bytes();
    EXPECT_EQ(pool.usage().leased, 16U);
    EXPECT_EQ(pool.usage().leased_bytes, bytes);
    EXPECT_EQ(pool.usage().idle, 0U);
  }
  const PoolUsage usage = pool.usage();
  EXPECT_EQ(usage.leased, 0U);
  EXPECT_EQ(usage.leased_bytes, 0U);
  // Two of gzip, deflate and Brotli, which keeps nothing; zstd's are too large for what is left.
  EXPECT_GE(usage.idle, 6U);
  EXPECT_LE(usage.idle, 8U);
  EXPECT_LE(usage.idle_bytes, limits.idle_bytes_max);
  EXPECT_LE(usage.spare_bytes, limits.spare_bytes_max);
}

TEST(Pool, RefusesWhatThereIsNot) {
  Encoders encoders;
  Decoders decoders;
  for (const Coding coding : {Coding::kIdentity, Coding::kDcz, Coding::kDcb}) {
    const auto encoder = encoders.take(encoding(coding));
    ASSERT_FALSE(encoder) << to_string(coding);
    EXPECT_EQ(encoder.error().code, ErrorCode::kInternal);
    EXPECT_FALSE(decoders.take(decoding(coding)));
  }
  EXPECT_EQ(encoders.usage().leased, 0U);
  EXPECT_FALSE(can_encode(Coding::kIdentity));
  EXPECT_FALSE(can_decode(Coding::kIdentity));
  EXPECT_EQ(can_encode(Coding::kDcb), kHasDcb);
  EXPECT_EQ(can_decode(Coding::kDcb), kHasDcb);
  for (const Coding coding : {Coding::kGzip, Coding::kDeflate, Coding::kBrotli, Coding::kZstd, Coding::kDcz}) {
    EXPECT_TRUE(can_encode(coding));
    EXPECT_TRUE(can_decode(coding));
  }
}

TEST(Memory, IsCountedAndGivenAgain) {
  Memory memory(1'000'000);
  Account account(memory);
  for (const std::size_t size : {1U, 64U, 65U, 72U, 73U, 1000U, 4096U, 65'536U, 65'537U, 400'000U}) {
    void* first = Account::allocate(&account, size);
    ASSERT_NE(first, nullptr);
    std::fill_n(static_cast<char*>(first), size, 'x');
    const std::size_t bytes = account.bytes();
    EXPECT_GE(bytes, size);
    EXPECT_LE(bytes, Memory::gross(size));
    EXPECT_LE(bytes, std::max<std::size_t>(64, size + size / 8) + 16 + 16);
    EXPECT_EQ(memory.in_use(), bytes);
    Account::release(&account, first);
    EXPECT_EQ(account.bytes(), 0U);
    EXPECT_EQ(memory.in_use(), 0U);
    if (Memory::kRecycles) {
      const auto calls = memory.heap_calls();
      void* second = Account::allocate(&account, size);
      EXPECT_EQ(second, first);
      EXPECT_EQ(memory.heap_calls(), calls);
      Account::release(&account, second);
    }
  }
  EXPECT_LE(memory.spare(), 1'000'000U);
  void* large = memory.allocate(2'000'000);
  const auto spare = memory.spare();
  memory.release(large);
  EXPECT_EQ(memory.spare(), spare);
  EXPECT_EQ(memory.allocate(std::size_t{1} << 60U), nullptr);
  memory.release(nullptr);
}

}  // namespace
}  // namespace rproxy::codec
