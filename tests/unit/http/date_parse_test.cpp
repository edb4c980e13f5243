#include <gtest/gtest.h>

#include <string>

#include "http/date.h"

namespace rproxy::http {
namespace {

constexpr std::int64_t kThen = 784'111'777;   // 1994-11-06 08:49:37
constexpr std::int64_t kNow = 1'700'000'000;  // 2023-11-14

TEST(ParseDate, ReadsAllThreeFormats) {
  const struct {
    std::string_view text;
    std::int64_t want;
  } cases[] = {
      // RFC 9110 5.6.7
      {"Sun, 06 Nov 1994 08:49:37 GMT", kThen},
      {"Sunday, 06-Nov-94 08:49:37 GMT", kThen},
      {"Sun Nov  6 08:49:37 1994", kThen},
      {"Wednesday, 06-Nov-94 08:49:37 GMT", kThen},
      {"Sun Nov 16 08:49:37 1994", kThen + 10 * 86400},
      // RFC 9111 4.2: in any case.
      {"sun, 06 NOV 1994 08:49:37 gmt", kThen},
      {"SUNDAY, 06-nov-94 08:49:37 gmt", kThen},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
      {"Tue, 29 Feb 2000 00:00:00 GMT", 951'782'400},
      {"Sat, 31 Dec 2016 23:59:60 GMT", 1'483'228'800},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 253'402'300'799},
  };
  for (const auto& [text, want] : cases) EXPECT_EQ(parse_date(text, kNow), want) << text;
}

TEST(ParseDate, AYearOfTwoDigitsLiesNoMoreThanFiftyYearsAhead) {
  const struct {
    std::string_view text;
    std::string_view same;
  } cases[] = {
      {"Sunday, 06-Nov-23 08:49:37 GMT", "Sun, 06 Nov 2023 08:49:37 GMT"},
      {"Sunday, 06-Nov-73 08:49:37 GMT", "Sun, 06 Nov 2073 08:49:37 GMT"},
      {"Sunday, 06-Nov-74 08:49:37 GMT", "Sun, 06 Nov 1974 08:49:37 GMT"},
      {"Sunday, 06-Nov-99 08:49:37 GMT", "Sun, 06 Nov 1999 08:49:37 GMT"},
      {"Sunday, 06-Nov-00 08:49:37 GMT", "Sun, 06 Nov 2000 08:49:37 GMT"},
  };
  for (const auto& [text, same] : cases) EXPECT_EQ(parse_date(text, kNow), parse_date(same, kNow)) << text;
}

TEST(ParseDate, IsNothingForAnythingElse) {
  const std::string_view cases[] = {
      "",
      "0",
      "-1",
      "784111777",
      "Sun",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 ",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Sun,  06 Nov 1994 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 06-Nov-1994 08:49:37 GMT",
      "Son, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nob 1994 08:49:37 GMT",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 31 Nov 1994 08:49:37 GMT",
      "Wed, 29 Feb 2023 08:49:37 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:37 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 1994 8:49:37 GMT",
      "Sun, 06 Nov 1994 08.49.37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Monday, 06 Nov 1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov  6 08:49:37 1994 GMT",
      "Sun, \xff\xff Nov 1994 08:49:37 GMT",
  };
  for (const auto text : cases) EXPECT_EQ(parse_date(text, kNow), std::nullopt) << text;
}

TEST(ParseDate, ReadsWhatIsWritten) {
  for (std::int64_t second = 0; second < 253'402'300'800; second += 86'400 * 37 + 12'345) {
    char text[kDateSize];
    write_date(text, second);
    ASSERT_EQ(parse_date({text, kDateSize}, kNow), second) << std::string_view(text, kDateSize);
  }
}

}  // namespace
}  // namespace rproxy::http
