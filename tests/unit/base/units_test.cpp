#include "base/units.h"

#include <gtest/gtest.h>

namespace rproxy {
namespace {

TEST(Duration, IsReadAsOperatorsWriteIt) {
  const std::pair<const char*, std::optional<std::int64_t>> cases[] = {
      {"0", 0},
      {"250ms", 250},
      {"5s", 5'000},
      {"10m", 600'000},
      {"2h", 7'200'000},
      {"1d", 86'400'000},
      {"1w", 604'800'000},
      {"1m30s", 90'000},
      {"5", std::nullopt},
      {"", std::nullopt},
      {"s", std::nullopt},
      {"-5s", std::nullopt},
      {"5 s", std::nullopt},
      {"5S", std::nullopt},
      {"1.5s", std::nullopt},
      {"99999999999999999999s", std::nullopt},
      {"9223372036854775808ms", std::nullopt},
  };
  for (const auto& [text, milliseconds] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_EQ(parsed.has_value(), milliseconds.has_value()) << text;
    if (parsed) {
      EXPECT_EQ(parsed->count(), *milliseconds) << text;
    }
  }
}

TEST(Duration, IsWrittenAsItIsRead) {
  for (const char* text : {"0", "250ms", "5s", "1m30s", "1h", "1d", "1w", "8d", "1h1ms"}) {
    EXPECT_EQ(parse_duration(to_string(parse_duration(text).value())), parse_duration(text)) << text;
  }
  EXPECT_EQ(to_string(Duration{90'000}), "1m30s");
}

TEST(ByteSize, KnowsBinaryAndDecimalUnits) {
  const std::pair<const char*, std::optional<std::uint64_t>> cases[] = {
      {"0", 0},
      {"512", 512},
      {"512B", 512},
      {"64KiB", 65'536},
      {"10MiB", 10'485'760},
      {"10MB", 10'000'000},
      {"1kB", 1'000},
      {"1GiB", 1'073'741'824},
      {"64KB", std::nullopt},
      {"64 KiB", std::nullopt},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"99999999999999999999", std::nullopt},
      {"99999999999GiB", std::nullopt},
  };
  for (const auto& [text, bytes] : cases) {
    const auto parsed = parse_byte_size(text);
    ASSERT_EQ(parsed.has_value(), bytes.has_value()) << text;
    if (parsed) {
      EXPECT_EQ(parsed->bytes, *bytes) << text;
    }
  }
}

TEST(Rate, IsSomeInATime) {
  EXPECT_EQ(parse_rate("50/s"), (Rate{50, Duration{1'000}}));
  EXPECT_EQ(parse_rate("100/m"), (Rate{100, Duration{60'000}}));
  EXPECT_EQ(parse_rate("5/10s"), (Rate{5, Duration{10'000}}));
  for (const char* text : {"", "50", "/s", "50/", "50/0", "x/s", "50/s/s"}) EXPECT_FALSE(parse_rate(text)) << text;
  EXPECT_EQ(to_string(Rate{5, Duration{10'000}}), "5/10s");
  EXPECT_EQ(to_string(Rate{50, Duration{1'000}}), "50/s");
}

}  // namespace
}  // namespace rproxy
