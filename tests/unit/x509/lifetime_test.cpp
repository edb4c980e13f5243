// When a certificate is due.
#include "x509/lifetime.h"

#include <gtest/gtest.h>

#include <chrono>

namespace rproxy::x509 {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
constexpr hours kDay{24};
constexpr WallTime kBegin{seconds{1'795'737'600}};

TEST(Lifetime, IsWatchedByPartsOfIt) {
  using enum LifetimeState;
  struct Case {
    hours lifetime;
    hours left;
    LifetimeState state;
  };
  for (const Case& each : {Case{90 * kDay, 30 * kDay, kFine}, Case{90 * kDay, 22 * kDay, kEndsSoon},
                           Case{90 * kDay, 8 * kDay, kEndsVerySoon}, Case{6 * kDay, 2 * kDay, kFine},
                           Case{6 * kDay, 35 * hours{1}, kEndsSoon}, Case{6 * kDay, 14 * hours{1}, kEndsVerySoon},
                           Case{398 * kDay, 31 * kDay, kFine}, Case{398 * kDay, 29 * kDay, kEndsSoon},
                           Case{398 * kDay, 9 * kDay, kEndsVerySoon}, Case{3650 * kDay, 31 * kDay, kFine},
                           Case{90 * kDay, hours{0}, kExpired}, Case{90 * kDay, -kDay, kExpired},
                           Case{90 * kDay, 91 * kDay, kNotYetValid}}) {
    const WallTime end = kBegin + each.lifetime;
    EXPECT_EQ(judge_lifetime(kBegin, end, end - each.left, kWarnLimit, kCriticalLimit), each.state)
        << each.lifetime.count() / 24 << " days, " << each.left.count() << " hours left";
  }
}

TEST(Lifetime, IsLimitedAsIsSaid) {
  EXPECT_EQ(LifetimeLimit::parse("20d")->of(kBegin, kBegin + 5 * kDay), 20 * kDay);
  EXPECT_EQ(LifetimeLimit::parse("25%")->of(kBegin, kBegin + 4000 * kDay), 1000 * kDay) << "without a limit of its own";
  EXPECT_EQ(LifetimeLimit::parse("1%")->of(kBegin, kBegin + 100 * kDay), kDay);
  for (const char* text : {"", "%", "0%", "100%", "-5%", "2.5%", "soon", "20", "0", "100ms", "20d%", "%20"})
    EXPECT_FALSE(LifetimeLimit::parse(text)) << text;
}

}  // namespace
}  // namespace rproxy::x509
