// What is no such stream is refused, and says of itself why; what is too much is cut off.
#include "codec/decoder.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "codec/sizing.h"
#include "support/codings.h"

namespace rproxy::codec {
namespace {

using test::decoded;
using test::decoding;
using test::encoded;
using test::encoding;

ErrorCode fault_of(const DecoderOptions& options, std::string_view bytes) {
  const auto result = decoded(options, bytes);
  return result ? ErrorCode::kInternal : result.error().code;
}

TEST(Decoder, TellsATruncatedStreamAtEveryByte) {
  const std::string content = test::prose(2'000) + test::noise(300);
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), content);
    Decoders pool;
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      const auto cut = decoded(pool, decoding(coding), std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(cut) << to_string(coding) << " " << size << " of " << bytes.size();
      ASSERT_EQ(cut.error().code, ErrorCode::kTruncated) << to_string(coding) << " " << size;
      ASSERT_EQ(cut.error().side, Side::kUpstream);
    }
  }
}

TEST(Decoder, SurvivesCorruptionOfEveryByte) {
  const std::string content = test::prose(1'500) + test::noise(200);
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), content);
    Decoders pool;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        auto broken = bytes;
        broken[at] = static_cast<char>(broken[at] ^ flip);
        const auto result = decoded(pool, decoding(coding), broken);
        // gzip and zlib have a checksum: what they let pass was in a byte that says nothing.
        const bool is_checked = coding == Coding::kDeflate || coding == Coding::kGzip;
        ASSERT_FALSE(result && is_checked && *result != content) << to_string(coding) << " " << at;
        if (!result) {
          ASSERT_NE(result.error().code, ErrorCode::kInternal) << describe(result.error());
        }
      }
    }
    EXPECT_EQ(decoded(pool, decoding(coding), bytes).value_or("failed"), content);
  }
}

TEST(Decoder, RefusesWhatFollowsTheEnd) {
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), test::prose(500));
    for (const std::string& tail : {std::string("x"), std::string(1, '\0'), std::string("\r\n"), test::noise(600)}) {
      EXPECT_EQ(fault_of(decoding(coding), bytes + tail + tail + tail + tail), ErrorCode::kBadResponse)
          << to_string(coding) << tail;
      // In a piece of its own as well.
      Decoders pool;
      auto decoder = pool.take(decoding(coding)).value();
      std::string back;
      ASSERT_TRUE(test::decode_into(*decoder, bytes, false, back));
      EXPECT_FALSE(test::decode_into(*decoder, tail, true, back)) << to_string(coding);
    }
  }
}

TEST(Decoder, ReadsMembersAndFramesOneAfterTheOther) {
  using namespace std::string_view_literals;
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0abc\x5f\x2a\x4d\x18\0\0\0\0"sv);
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    const auto one = encoded(encoding(coding), test::prose(3'000));
    const auto empty = encoded(encoding(coding), "");
    const auto middle = coding == Coding::kZstd ? skippable : "";
    const std::string bytes = middle + one + empty + middle + empty + one + middle;
    const std::string content = test::prose(3'000) + test::prose(3'000);
    for (const std::size_t piece : {1U, 2U, 3U, 100U, 100'000U}) {
      Decoders pool;
      const auto back = decoded(pool, decoding(coding), bytes, test::pieces_of(piece), test::pieces_of(piece));
      ASSERT_TRUE(back) << describe(back.error());
      EXPECT_EQ(*back, content);
    }
    EXPECT_EQ(fault_of(decoding(coding), (one + one).substr(0, one.size() + 5)), ErrorCode::kTruncated);
  }
  for (const Coding coding : {Coding::kBrotli, Coding::kDeflate}) {
    const auto one = encoded(encoding(coding), test::prose(3'000));
    EXPECT_EQ(fault_of(decoding(coding), one + one), ErrorCode::kBadResponse);
  }
  EXPECT_EQ(decoded(decoding(Coding::kZstd), skippable).value_or("failed"), "");
}

std::string deflated(std::string_view content, int window_bits, int level) {
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string bytes(content.size() * 2 + 1'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  deflate(&stream, Z_FINISH);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST(Deflate, IsReadWithZlibsFormatAndWithout) {
  for (const std::string& content : {std::string(), std::string("a"), test::prose(50'000), test::noise(70'000)}) {
    for (const int level : {0, 1, 6, 9}) {
      for (const int window_bits : {15, 9, -15, -9}) {
        const auto bytes = deflated(content, window_bits, level);
        for (const std::size_t piece : {1U, 100'000U}) {
          Decoders pool;
          const auto back = decoded(pool, decoding(Coding::kDeflate), bytes, test::pieces_of(piece));
          ASSERT_TRUE(back) << window_bits << " " << level << ": " << describe(back.error());
          ASSERT_EQ(*back == content, true);
        }
        EXPECT_FALSE(decoded(decoding(Coding::kGzip), bytes));
      }
    }
  }
  // We write what the RFC means: zlib's format.
  const auto ours = encoded(encoding(Coding::kDeflate), test::prose(100));
  EXPECT_EQ(ours[0] & 0x0f, 8);
  EXPECT_EQ((static_cast<unsigned char>(ours[0]) * 256 + static_cast<unsigned char>(ours[1])) % 31, 0);
}

TEST(Decoder, StopsABomb) {
  const std::string content(20'000'000, '\0');
  for (const Coding coding : test::kStreamCodings) {
    const auto bytes = encoded(encoding(coding), content);
    ASSERT_LT(bytes.size(), content.size() / 200);
    DecoderOptions options;
    options.coding = coding;
    Decoders pool;
    auto decoder = pool.take(options).value();
    std::string back;
    const auto result = test::decode_into(*decoder, bytes, true, back);
    ASSERT_FALSE(result) << to_string(coding);
    EXPECT_EQ(result.error().code, ErrorCode::kLimitReached);
    EXPECT_LE(back.size(), options.expansion.floor + 200 * bytes.size());
    EXPECT_EQ(decoded(decoding(coding), bytes).value() == content, true);
    // A mark that is never passed, whatever the ratio.
    options.expansion = {0, 0, 1'000'000};
    EXPECT_EQ(fault_of(options, bytes), ErrorCode::kLimitReached);
    // What is within the floor is nobody's bomb.
    const std::string small(1'000'000, '\0');
    options.expansion = {};
    EXPECT_EQ(decoded(options, encoded(encoding(coding), small)).value() == small, true) << to_string(coding);
  }
}

TEST(Expansion, CountsFromTheFloor) {
  Expansion expansion({100, 10, 0});
  EXPECT_TRUE(expansion.add(1, 100));
  EXPECT_FALSE(expansion.add(0, 1));
  Expansion slow({100, 10, 0});
  EXPECT_TRUE(slow.add(11, 110));
  EXPECT_TRUE(slow.add(0, 9));
  EXPECT_FALSE(slow.add(0, 1));
  Expansion capped({0, 0, 50});
  EXPECT_TRUE(capped.add(1, 50));
  EXPECT_FALSE(capped.add(1'000, 1));
}

TEST(Decoder, RefusesALargerWindow) {
  const std::string content = test::noise(3'000'000);
  struct Case {
    Coding coding;
    int sent;
    std::optional<int> taken;
    bool is_good;
  };
  const Case cases[] = {
      {Coding::kZstd, 20, 20, true},           {Coding::kZstd, 21, 20, false},
      {Coding::kZstd, 21, std::nullopt, true}, {Coding::kBrotli, 20, 20, true},
      {Coding::kBrotli, 21, 20, false},        {Coding::kBrotli, 24, std::nullopt, true},
      {Coding::kBrotli, 17, 17, true},         {Coding::kBrotli, 17, 16, false},
      {Coding::kBrotli, 16, 16, true},         {Coding::kGzip, 15, std::nullopt, true},
  };
  for (const Case& c : cases) {
    auto sending = encoding(c.coding, 4);
    sending.window_log_max = c.sent;
    Encoders pool;
    const auto bytes = encoded(pool, sending, content, test::pieces_of(10'000));
    auto options = decoding(c.coding);
    options.window_log_max = c.taken;
    const auto back = decoded(options, bytes);
    EXPECT_EQ(back.has_value(), c.is_good) << to_string(c.coding) << c.sent;
    EXPECT_TRUE(back || back.error().code == ErrorCode::kLimitReached);
  }
  using namespace std::string_view_literals;
  // RFC 9659 3: a frame that wants 16 MiB.
  EXPECT_EQ(fault_of(decoding(Coding::kZstd), "\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00"sv), ErrorCode::kLimitReached);
  // A frame of zstd's before it was the RFC's.
  EXPECT_EQ(fault_of(decoding(Coding::kZstd), "\x25\xb5\x2f\xfd\x04\xff\x00\xff"sv), ErrorCode::kBadResponse);
  EXPECT_EQ(fault_of(decoding(Coding::kZstd), "\x25"sv), ErrorCode::kBadResponse);
  // Brotli's large window is not RFC 7932's.
  EXPECT_EQ(fault_of(decoding(Coding::kBrotli), "\x11\x1e\x03\x03"sv), ErrorCode::kBadResponse);
}

TEST(Decoder, BlamesWhoSentIt) {
  for (const Coding coding : test::kStreamCodings) {
    auto options = decoding(coding);
    options.side = Side::kClient;
    const auto result = decoded(options, "\x01\xff this is certainly no stream");
    ASSERT_FALSE(result) << to_string(coding);
    EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
    EXPECT_EQ(result.error().side, Side::kClient);
    EXPECT_NE(result.error().context.find(to_string(coding)), std::string::npos) << result.error().context;
  }
}

}  // namespace
}  // namespace rproxy::codec
