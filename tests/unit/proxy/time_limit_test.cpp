// Whose time counts, and what the upstream is told of it.
#include "proxy/time_limit.h"

#include <gtest/gtest.h>

namespace rproxy::proxy {
namespace {

using namespace std::chrono_literals;
using http::FieldId;

struct Fixture {
  explicit Fixture(std::string_view timeout, std::string_view type = "application/grpc") {
    request.arena = &arena;
    request.trace.start = start;
    request.head.fields.add("Content-Type", type);
    if (!timeout.empty()) request.head.fields.add("grpc-timeout", timeout);
  }
  std::string_view told(const TimeLimit& limit, Clock::duration after) {
    limit.tell(request, start + after);
    return request.head.fields.get(FieldId::kGrpcTimeout);
  }
  TimePoint start = TimePoint{} + 1h;
  Arena arena;
  exchange::Request request;
};

TEST(TimeLimit, IsTheShorterOfTheRoutesAndTheClients) {
  struct Case {
    const char* timeout;
    Duration route;
    Duration total;
    Side side;
    const char* told;  // after 100 ms
  };
  const Case cases[] = {
      {"", 0ms, 0ms, Side::kUpstream, ""},        {"", 5s, 5s, Side::kUpstream, ""},
      {"2S", 0ms, 2s, Side::kClient, "1900000u"}, {"2S", 5s, 2s, Side::kClient, "1900000u"},
      {"2S", 1s, 1s, Side::kUpstream, "900000u"}, {"100001u", 0ms, 101ms, Side::kClient, "1u"},
  };
  for (const Case& each : cases) {
    Fixture f(each.timeout);
    const auto limit = TimeLimit::of(f.request, each.route).value();
    EXPECT_EQ(limit.total(), each.total) << each.timeout;
    EXPECT_EQ(limit.error().side, each.side) << each.timeout;
    EXPECT_EQ(f.told(limit, 100ms), each.told);
  }
}

TEST(TimeLimit, HasPassedWhenItsTimeIsOver) {
  const Fixture f("3m");
  const auto limit = TimeLimit::of(f.request, 0ms).value();
  EXPECT_FALSE(limit.has_passed(f.start + 2ms));
  EXPECT_TRUE(limit.has_passed(f.start + 3ms));
  EXPECT_EQ(limit.end(), f.start + 3ms);
  EXPECT_EQ(limit.left(f.start + 1500us), 2ms);
  EXPECT_EQ(limit.left(f.start + 3ms), 1ms);
  EXPECT_EQ(limit.error().code, ErrorCode::kRequestTimeout);
  EXPECT_EQ(limit.error().retry, Retry::kNever);
}

TEST(TimeLimit, HasPassedFromTheFirstWhereTheClientHadNoTimeLeft) {
  const Fixture f("0n");
  EXPECT_TRUE(TimeLimit::of(f.request, 5s)->has_passed(f.start));
}

TEST(TimeLimit, OfNoneNeverPasses) {
  const Fixture f("");
  const auto limit = TimeLimit::of(f.request, 0ms).value();
  EXPECT_FALSE(limit.has_passed(f.start + std::chrono::hours{24 * 365 * 50}));
  EXPECT_EQ(limit.end(), TimePoint::max());
  EXPECT_EQ(limit.left(f.start), 0ms);
}

TEST(TimeLimit, OfAGrpcRequestWantsOneReadableTimeout) {
  EXPECT_FALSE(TimeLimit::of(Fixture("5x").request, 0ms));
  Fixture f("5S");
  f.request.head.fields.add("grpc-timeout", "5S");
  EXPECT_FALSE(TimeLimit::of(f.request, 0ms));
}

TEST(TimeLimit, OfOtherRequestsDoesNotLookAtGrpcTimeout) {
  Fixture f("5x", "application/json");
  const auto limit = TimeLimit::of(f.request, 0ms);
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->total(), 0ms);
  EXPECT_EQ(f.told(*limit, 0ms), "5x");
}

TEST(TimeLimit, OfAWebClientIsTheSame) {
  const Fixture f("2S", "application/grpc-web-text");
  EXPECT_EQ(TimeLimit::of(f.request, 0ms)->total(), 2s);
}

}  // namespace
}  // namespace rproxy::proxy
