#include "upstream/status_set.h"

#include <gtest/gtest.h>

namespace rproxy::upstream {
namespace {

TEST(StatusSet, ReadsNumbersRangesAndClasses) {
  const auto set = StatusSet::parse("200-299, 304,4xx");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->to_string(), "200-299,304,400-499");
  for (const std::uint16_t status : {200, 250, 299, 304, 400, 499}) EXPECT_TRUE(set->contains(status)) << status;
  for (const std::uint16_t status : {100, 199, 300, 303, 305, 399, 500}) EXPECT_FALSE(set->contains(status)) << status;
  EXPECT_EQ(StatusSet::parse(set->to_string()), set);
}

TEST(StatusSet, IsTheSuccessfulOnesByDefault) { EXPECT_EQ(StatusSet(), StatusSet::parse("2XX")); }

TEST(StatusSet, RefusesWhatIsNone) {
  for (const char* text : {"", ",", "200,", ",200", "20", "2000", "099", "600", "299-200", "200-", "-200", "200--299",
                           "xx2", "6xx", "0xx", "2x", "ok", "200 204", "+20"}) {
    EXPECT_FALSE(StatusSet::parse(text)) << text;
  }
}

}  // namespace
}  // namespace rproxy::upstream
