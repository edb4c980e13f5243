// The exposition, letter by letter.
#include "metrics/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rproxy::metrics {
namespace {

TEST(Text, WritesEachFamilyWithItsHelpItsTypeAndItsSamplesInTheirOrder) {
  Text text;
  text.family("rproxy_b_total", Text::Type::kCounter, "What b is.");
  text.sample({{"route", "z"}}, std::uint64_t{18446744073709551615U});
  text.sample({{"route", "a"}, {"code", "2xx"}}, std::uint64_t{0});
  text.family("rproxy_a", Text::Type::kGauge, "What a is.");
  text.sample({}, 1.5);
  EXPECT_EQ(text.take(),
            "# HELP rproxy_b_total What b is.\n"
            "# TYPE rproxy_b_total counter\n"
            "rproxy_b_total{route=\"z\"} 18446744073709551615\n"
            "rproxy_b_total{route=\"a\",code=\"2xx\"} 0\n"
            "# HELP rproxy_a What a is.\n"
            "# TYPE rproxy_a gauge\n"
            "rproxy_a 1.5\n");
}

TEST(Text, EscapesWhatWouldEndALabelOrALine) {
  struct Case {
    const char* value;
    const char* written;
  };
  for (const Case& each : {Case{"plain", "plain"}, Case{"", ""}, Case{"a\"b", "a\\\"b"}, Case{"a\\", "a\\\\"},
                           Case{"a\nb", "a\\nb"}, Case{"\\n", "\\\\n"}, Case{"{a=\"b\"}", "{a=\\\"b\\\"}"},
                           Case{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"}, Case{"tab\t", "tab\t"}}) {
    Text text;
    text.family("m", Text::Type::kGauge, "h");
    text.sample({{"l", each.value}}, std::uint64_t{1});
    EXPECT_EQ(text.take(), std::string("# HELP m h\n# TYPE m gauge\nm{l=\"") + each.written + "\"} 1\n");
  }
}

// A quote ends nothing there, and stays as it is.
TEST(Text, EscapesInAHelpOnlyWhatWouldEndIt) {
  Text text;
  text.family("m", Text::Type::kGauge, "a \"b\" c\\d\ne");
  EXPECT_EQ(text.take(), "# HELP m a \"b\" c\\\\d\\ne\n# TYPE m gauge\n");
}

TEST(Text, WritesNumbersThatAreNoneAsPrometheusNamesThem) {
  struct Case {
    double value;
    const char* written;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const Case& each : {Case{0, "0"}, Case{0.25, "0.25"}, Case{1e9, "1000000000"}, Case{-3, "-3"},
                           Case{kInfinity, "+Inf"}, Case{-kInfinity, "-Inf"}, Case{std::nan(""), "NaN"}}) {
    Text text;
    text.family("m", Text::Type::kGauge, "h");
    text.sample({}, each.value);
    EXPECT_EQ(text.take(), std::string("# HELP m h\n# TYPE m gauge\nm ") + each.written + "\n");
  }
}

TEST(Text, SumsBucketsUpInSeconds) {
  Histogram histogram;
  for (const int us : {50, 200, 200, 2'000'000, 90'000'000}) histogram.observe(std::chrono::microseconds(us));
  Text text;
  text.family("t_seconds", Text::Type::kHistogram, "h");
  text.sample({{"route", "r"}}, histogram);
  const std::string made = text.take();
  for (const char* line :
       {"t_seconds_bucket{route=\"r\",le=\"0.0001\"} 1\n", "t_seconds_bucket{route=\"r\",le=\"0.00025\"} 3\n",
        "t_seconds_bucket{route=\"r\",le=\"1\"} 3\n", "t_seconds_bucket{route=\"r\",le=\"2.5\"} 4\n",
        "t_seconds_bucket{route=\"r\",le=\"60\"} 4\n", "t_seconds_bucket{route=\"r\",le=\"+Inf\"} 5\n",
        "t_seconds_sum{route=\"r\"} 92.00045\n", "t_seconds_count{route=\"r\"} 5\n"}) {
    EXPECT_NE(made.find(line), std::string::npos) << line << made;
  }
}

}  // namespace
}  // namespace rproxy::metrics
