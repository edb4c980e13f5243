#include "cache/meta_codec.h"

#include <gtest/gtest.h>

#include <limits>

#include "unit/cache/stored.h"

namespace rproxy::cache {
namespace {

TEST(MetaCodec, EachMemberComesBack) {
  const Meta meta = full_meta();
  const auto bytes = encode(meta);
  ASSERT_TRUE(bytes);
  const auto again = decode_meta(*bytes);
  ASSERT_TRUE(again);
  expect_same(*again, meta);
}

TEST(MetaCodec, WhatIsNotThereStaysAway) {
  const auto again = decode_meta(*encode(Meta{}));
  ASSERT_TRUE(again);
  expect_same(*again, Meta{});

  Meta part;
  part.part = http::ContentRange{{1, 2}, std::nullopt};
  expect_same(*decode_meta(*encode(part)), part);
}

TEST(MetaCodec, TheTwoFlagsAreTold) {
  for (const int flags : {0, 1, 2, 3}) {
    Meta meta;
    meta.must_revalidate = (flags & 1) != 0;
    meta.no_cache = (flags & 2) != 0;
    expect_same(*decode_meta(*encode(meta)), meta);
  }
}

TEST(MetaCodec, TimesBeforeTheEpochAndTheGreatestComeBack) {
  Meta meta;
  meta.requested_ms = std::numeric_limits<std::int64_t>::min();
  meta.received_ms = -1;
  meta.initial_age = std::numeric_limits<std::int64_t>::max();
  expect_same(*decode_meta(*encode(meta)), meta);
}

TEST(MetaCodec, NothingIsReadOfOneThatIsCutOrLengthened) {
  const std::string bytes = *encode(full_meta());
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_meta(bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode_meta(bytes + '\0'));
}

TEST(MetaCodec, EachByteCounts) {
  const std::string bytes = *encode(full_meta());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 0x81);
    const auto meta = decode_meta(other);
    EXPECT_TRUE(!meta || encode(*meta) == other) << at;
  }
}

TEST(MetaCodec, LengthsAreNotBelieved) {
  const std::string bytes = *encode(Meta{});
  for (std::size_t at = 1; at + 4 <= bytes.size(); ++at) {
    std::string other = bytes;
    other.replace(at, 4, "\xff\xff\xff\xff");
    const auto meta = decode_meta(other);
    EXPECT_TRUE(!meta || encode(*meta) == other) << at;
  }
}

TEST(MetaCodec, OtherVersionsAreNotRead) {
  std::string bytes = *encode(Meta{});
  ++bytes[0];
  EXPECT_FALSE(decode_meta(bytes));
}

TEST(MetaCodec, WhatIsTooLargeIsNotEncoded) {
  Meta meta;
  meta.fields.emplace_back("a", std::string(kEncodedMetaMax, 'x'));
  EXPECT_FALSE(encode(meta));
  meta.fields = {{"a", std::string(kEncodedMetaMax / 2, 'x')}};
  EXPECT_TRUE(encode(meta));
  meta.fields.push_back(meta.fields.front());
  EXPECT_FALSE(encode(meta));
  meta.fields.clear();
  meta.tags.resize(8193);
  EXPECT_FALSE(encode(meta));
  meta.tags.resize(8192);
  EXPECT_TRUE(encode(meta));
}

}  // namespace
}  // namespace rproxy::cache
