#include "acme/schedule.h"

#include <gtest/gtest.h>

namespace rproxy::acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kBegin{seconds{1'800'000'000}};

Failure failure(std::string type = {}) {
  Failure failed(Error(ErrorCode::kBadResponse, Side::kUpstream));
  if (!type.empty()) {
    failed.problem.emplace();
    failed.problem->type = "urn:ietf:params:acme:error:" + type;
  }
  return failed;
}

TEST(RenewalTime, IsAShareOfTheLifeOrALittleEarlier) {
  const Validity quarter{kBegin, kBegin + hours{90 * 24}};
  EXPECT_EQ(renewal_time(quarter, 0, 0), kBegin + hours{60 * 24});
  EXPECT_EQ(renewal_time(quarter, 0.5, 0), kBegin + hours{45 * 24});
  EXPECT_NEAR(std::chrono::duration<double>(renewal_time(quarter, 0.5, 1) - kBegin).count(), 0.475 * 90 * 86'400, 1);
  const Validity six_days{kBegin, kBegin + hours{160}};
  EXPECT_EQ(renewal_time(six_days, 0, 0), kBegin + hours{80});
}

TEST(RenewalTime, IsWithinTheServersWindowOrNow) {
  const RenewalInfo info{kBegin, kBegin + hours{10}, {}};
  EXPECT_EQ(renewal_time(info, kBegin - hours{1}, 0), kBegin);
  EXPECT_EQ(renewal_time(info, kBegin - hours{1}, 0.5), kBegin + hours{5});
  EXPECT_EQ(renewal_time(info, kBegin + hours{20}, 0.5), kBegin + hours{20});
}

TEST(Pause, DoublesUpToHalfADayAndHeedsTheServer) {
  EXPECT_EQ(pause_after(failure(), 1, minutes{5}, 0), minutes{5});
  EXPECT_EQ(pause_after(failure(), 3, minutes{5}, 0), minutes{20});
  EXPECT_EQ(pause_after(failure(), 1000, minutes{5}, 0), hours{12});
  EXPECT_EQ(pause_after(failure(), 1, minutes{5}, 1), minutes{6});
  EXPECT_EQ(pause_after(failure("rateLimited"), 1, minutes{5}, 0), hours{1});
  Failure told = failure("rateLimited");
  told.retry_after = hours{20};
  EXPECT_EQ(pause_after(told, 1, minutes{5}, 0), hours{20});
}

TEST(NextQuestion, IsWhenTheServerSaysWithinBounds) {
  EXPECT_EQ(next_question({}), hours{6});
  EXPECT_EQ(next_question(seconds{0}), minutes{1});
  EXPECT_EQ(next_question(hours{3}), hours{3});
  EXPECT_EQ(next_question(hours{300}), hours{24});
}

}  // namespace
}  // namespace rproxy::acme
