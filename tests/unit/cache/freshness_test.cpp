#include "cache/freshness.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using namespace std::chrono_literals;

std::string freshness(std::uint16_t status, const Lines& lines, const Policy& policy = {}) {
  const auto fields = fields_of(lines);
  const auto found = freshness_of(status, fields, ResponseDirectives::of(fields), policy, kThen);
  return fmt::format("{} {}", to_string(found.source), found.lifetime);
}

struct Case {
  std::uint16_t status;
  Lines lines;
  std::string_view want;
};

constexpr std::string_view kNow = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kMinuteBefore = "Sun, 06 Nov 1994 08:48:37 GMT";
constexpr std::string_view kInAMinute = "Sun, 06 Nov 1994 08:50:37 GMT";
constexpr std::string_view kHundredDaysBefore = "Fri, 29 Jul 1994 08:49:37 GMT";

TEST(Freshness, LifetimeIsTheFirstThatIsSaid) {
  const Case cases[] = {
      // RFC 9111 4.2.1
      {200, {{"Cache-Control", "max-age=5, s-maxage=7"}, {"Expires", kInAMinute}}, "s-maxage 7"},
      {200, {{"Cache-Control", "s-maxage=0, max-age=5"}}, "s-maxage 0"},
      {200, {{"Expires", kInAMinute}, {"Cache-Control", "max-age=5"}}, "max-age 5"},
      {200, {{"Expires", kInAMinute}, {"Last-Modified", kHundredDaysBefore}}, "Expires 60"},
      {200, {{"Expires", kInAMinute}, {"Date", kMinuteBefore}}, "Expires 120"},
      {200, {{"Expires", kInAMinute}, {"Date", "x"}}, "Expires 60"},
      {200, {{"Expires", kNow}, {"Date", kNow}}, "Expires 0"},
      {200, {{"Expires", kMinuteBefore}}, "Expires 0"},
      {200, {{"Last-Modified", kHundredDaysBefore}}, "a tenth of its age (Last-Modified) 86400"},
      {200, {{"Last-Modified", kMinuteBefore}}, "a tenth of its age (Last-Modified) 6"},
      {200, {{"Last-Modified", kInAMinute}}, "a tenth of its age (Last-Modified) 0"},
      {200, {{"Last-Modified", "x"}}, "nothing 0"},
      {200, {}, "nothing 0"},
      // 5.3: what can't be read has expired, and so has what is said twice.
      {200, {{"Expires", "0"}}, "Expires 0"},
      {200, {{"Expires", ""}}, "Expires 0"},
      {200, {{"Expires", kInAMinute}, {"Expires", kInAMinute}}, "Expires 0"},
      {200, {{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}, "Expires 2147483648"},
      // Any status may say it (3).
      {500, {{"Cache-Control", "max-age=5"}}, "max-age 5"},
      {302, {{"Expires", kInAMinute}}, "Expires 60"},
      // 4.2.2: only of a status that may be cached without, or public.
      {302, {{"Last-Modified", kHundredDaysBefore}}, "nothing 0"},
      {302,
       {{"Last-Modified", kHundredDaysBefore}, {"Cache-Control", "public"}},
       "a tenth of its age (Last-Modified) 86400"},
      {404, {{"Last-Modified", kMinuteBefore}}, "a tenth of its age (Last-Modified) 6"},
      // RFC 9213 2.2: beside CDN-Cache-Control neither Cache-Control nor Expires count.
      {200, {{"CDN-Cache-Control", "max-age=9"}, {"Cache-Control", "s-maxage=5"}}, "max-age 9"},
      {200, {{"CDN-Cache-Control", "public"}, {"Cache-Control", "max-age=5"}, {"Expires", kInAMinute}}, "nothing 0"},
  };
  for (const auto& [status, lines, want] : cases) {
    EXPECT_EQ(freshness(status, lines), want) << status << ' ' << (lines.empty() ? "" : lines[0].second);
  }
}

TEST(Freshness, TheConfigurationGoesOverItAndFillsItsGaps) {
  const Lines said = {{"Cache-Control", "max-age=5"}};
  const Lines old = {{"Last-Modified", kHundredDaysBefore}};
  Policy policy;
  policy.default_ttl = 100s;
  policy.negative_ttl = 10s;
  EXPECT_EQ(freshness(200, {}, policy), "default of the configuration 100");
  EXPECT_EQ(freshness(200, old, policy), "default of the configuration 100");
  EXPECT_EQ(freshness(200, said, policy), "max-age 5");
  EXPECT_EQ(freshness(404, {}, policy), "default of the configuration 10");
  EXPECT_EQ(freshness(404, said, policy), "max-age 5");
  EXPECT_EQ(freshness(500, {}, policy), "nothing 0");
  EXPECT_EQ(freshness(302, {}, policy), "nothing 0");
  policy.negative_ttl.reset();
  EXPECT_EQ(freshness(410, {}, policy), "nothing 0");

  policy.ttl = 1h;
  EXPECT_EQ(freshness(200, said, policy), "ttl of the configuration 3600");
  EXPECT_EQ(freshness(404, said, policy), "max-age 5");
  EXPECT_EQ(freshness(500, said, policy), "max-age 5");
  policy.ttl_max = 3s;
  EXPECT_EQ(freshness(200, said, policy), "ttl of the configuration 3");
  EXPECT_EQ(freshness(404, said, policy), "max-age 3");
  EXPECT_EQ(freshness(404, {{"Cache-Control", "max-age=1"}}, policy), "max-age 1");
  policy.ttl = std::chrono::hours(24 * 365 * 200);
  policy.ttl_max.reset();
  EXPECT_EQ(freshness(200, said, policy), "ttl of the configuration 2147483648");
}

TEST(Freshness, KnowsWhichStatusNeedsNoWords) {
  // RFC 9110 15.1
  const std::vector<std::uint16_t> heuristic = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
  for (std::uint16_t status = 100; status < 600; ++status) {
    EXPECT_EQ(is_heuristically_cacheable(status), std::ranges::find(heuristic, status) != heuristic.end()) << status;
  }
}

TEST(Freshness, InitialAgeIsTheGreaterOfWhatIsSaidAndWhatIsSeen) {
  const struct {
    Lines lines;
    std::int64_t delay;
    std::int64_t want;
  } cases[] = {
      // RFC 9111 4.2.3: apparent_age
      {{{"Date", kMinuteBefore}}, 0, 60},
      {{{"Date", kInAMinute}}, 0, 0},
      {{}, 0, 0},
      {{{"Date", "x"}}, 0, 0},
      // corrected_age_value
      {{{"Date", kNow}, {"Age", "30"}}, 0, 30},
      {{{"Date", kNow}, {"Age", "30"}}, 5, 35},
      {{{"Date", kNow}}, 5, 5},
      {{{"Date", kMinuteBefore}, {"Age", "30"}}, 5, 60},
      {{{"Date", kMinuteBefore}, {"Age", "58"}}, 5, 63},
      // A clock that went back.
      {{{"Age", "30"}}, -5, 30},
      // 5.1: the first member, and none that is no number.
      {{{"Age", "30, 50"}}, 0, 30},
      {{{"Age", "30 , 50"}}, 0, 30},
      {{{"Age", "30"}, {"Age", "50"}}, 0, 30},
      {{{"Age", "-30"}}, 0, 0},
      {{{"Age", "3.5"}}, 0, 0},
      {{{"Age", ""}}, 0, 0},
      {{{"Age", "99999999999999999999"}}, 9, kSecondsMax},
      {{{"Date", "Thu, 01 Jan 0000 00:00:00 GMT"}}, 0, kSecondsMax},
  };
  for (const auto& [lines, delay, want] : cases) {
    EXPECT_EQ(initial_age(fields_of(lines), kThen - delay, kThen), want)
        << (lines.empty() ? "" : lines.back().second) << ' ' << delay;
  }
}

TEST(Freshness, AgeGrowsFromWhenItCame) {
  const auto entry = entry_with({{"Cache-Control", "max-age=60"}, {"Age", "10"}});
  EXPECT_EQ(entry->age(kThen * 1000), 10);
  EXPECT_EQ(entry->age(kThen * 1000 + 999), 10);
  EXPECT_EQ(entry->age((kThen + 49) * 1000), 59);
  EXPECT_EQ(entry->fresh_for((kThen + 49) * 1000), 1);
  EXPECT_EQ(entry->fresh_for((kThen + 50) * 1000), 0);
  EXPECT_EQ(entry->fresh_for((kThen + 60) * 1000), -10);
  // A clock that went back.
  EXPECT_EQ(entry->age((kThen - 100) * 1000), 10);

  Policy policy;
  policy.ttl = 60s;
  EXPECT_EQ(entry_with({{"Age", "10"}}, policy)->age(kThen * 1000), 0)
      << "what the configuration decides counts from here";
}

}  // namespace
}  // namespace rproxy::cache
