#include "upstream/health_track.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace rproxy::upstream {
namespace {

using balance::Health;

// Checks as text, '+' and '-'; gives what is thought after each: 'u', 'h' or '?'.
std::string after(HealthTrack& track, std::string_view checks) {
  std::string seen;
  for (const char check : checks) {
    const Health before = track.health();
    const bool changed = track.record(check == '+');
    EXPECT_EQ(changed, before != track.health());
    seen += track.health() == Health::kHealthy ? 'h' : track.health() == Health::kUnhealthy ? 'u' : '?';
  }
  return seen;
}

TEST(HealthTrack, TakesSoManyInARowToChangeItsMind) {
  struct Case {
    Health known;
    InitialHealth initial;
    std::string_view checks;
    std::string_view thought;
  };
  const Case cases[] = {
      // fall = 3, rise = 2
      {Health::kHealthy, InitialHealth::kUnchecked, "---", "hhu"},
      {Health::kHealthy, InitialHealth::kUnchecked, "--+--+---", "hhhhhhhhu"},
      {Health::kUnhealthy, InitialHealth::kUnchecked, "++", "uh"},
      {Health::kUnhealthy, InitialHealth::kUnchecked, "+-+-++---", "uuuuuhhhu"},
      // The first check decides where nobody knows.
      {Health::kUnknown, InitialHealth::kUnchecked, "-++", "uuh"},
      {Health::kUnknown, InitialHealth::kUnchecked, "+---", "hhhu"},
      {Health::kUnknown, InitialHealth::kUnhealthy, "+", "h"},
      {Health::kUnknown, InitialHealth::kUnhealthy, "-++", "uuh"},
      {Health::kUnknown, InitialHealth::kHealthy, "---", "hhu"},
      // What is known goes over what is assumed.
      {Health::kUnhealthy, InitialHealth::kHealthy, "++", "uh"},
  };
  for (const Case& each : cases) {
    HealthOptions options;
    options.initial = each.initial;
    HealthTrack track(options, each.known, 1);
    EXPECT_EQ(after(track, each.checks), each.thought) << each.checks;
  }
}

TEST(HealthTrack, ChangesItsMindAtOnceWhereOneIsEnough) {
  HealthOptions options;
  options.rise = options.fall = 1;
  HealthTrack track(options, Health::kHealthy, 1);
  EXPECT_EQ(after(track, "-+-+"), "uhuh");
}

TEST(HealthTrack, CountsHowManyInARow) {
  const HealthOptions options;
  HealthTrack track(options, Health::kUnknown, 1);
  after(track, "+++--");
  EXPECT_EQ(track.in_a_row(), 2u);
}

TEST(HealthTrack, LooksMoreOftenAsLongAsAllIsNotWell) {
  HealthOptions options;
  options.jitter = 0;
  HealthTrack track(options, Health::kUnknown, 1);
  EXPECT_EQ(track.next_delay(), Duration{0});
  const auto delay_after = [&track](bool ok) {
    track.record(ok);
    return track.next_delay();
  };
  EXPECT_EQ(delay_after(true), options.interval);
  EXPECT_EQ(delay_after(false), options.unhealthy_interval) << "it may be about to fall";
  EXPECT_EQ(delay_after(true), options.interval);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(delay_after(false), options.unhealthy_interval);
  EXPECT_EQ(delay_after(true), options.unhealthy_interval) << "it has not risen yet";
  EXPECT_EQ(delay_after(true), options.interval);
}

// By a clock that goes on with each delay: found within `fall` failures, and back within `rise`.
TEST(HealthTrack, FindsAFailureAndARecoveryInTime) {
  HealthOptions options;
  HealthTrack track(options, Health::kHealthy, 7);
  const Duration fails_at{60'000};
  const Duration recovers_at{180'000};
  Duration out{0};
  Duration back{0};
  for (Duration now = track.next_delay(); now < Duration{300'000}; now += track.next_delay()) {
    const bool changed = track.record(now < fails_at || now >= recovers_at);
    if (changed) (track.health() == Health::kUnhealthy ? out : back) = now;
  }
  EXPECT_GE(out, fails_at);
  EXPECT_LE(out, fails_at + Duration{5'500 + 2 * 1'100});
  EXPECT_GE(back, recovers_at);
  EXPECT_LE(back, recovers_at + Duration{2 * 1'100});
}

TEST(HealthTrack, SpreadsChecksWithinTheJitter) {
  HealthOptions options;
  options.jitter = 20;
  HealthTrack track(options, Health::kUnknown, 3);
  EXPECT_LE(track.next_delay(), Duration{1'000});
  track.record(true);
  Duration least{1'000'000};
  Duration most{0};
  for (int i = 0; i < 1'000; ++i) {
    const Duration delay = track.next_delay();
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, Duration{4'000});
  EXPECT_LE(most, Duration{6'000});
  EXPECT_GT(most - least, Duration{1'800});
}

TEST(HealthTrack, DoesTheSameForTheSameSeed) {
  const HealthOptions options;
  HealthTrack one(options, Health::kUnknown, 42);
  HealthTrack other(options, Health::kUnknown, 42);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(one.next_delay(), other.next_delay());
    EXPECT_EQ(one.record(i % 3 == 0), other.record(i % 3 == 0));
  }
}

}  // namespace
}  // namespace rproxy::upstream
