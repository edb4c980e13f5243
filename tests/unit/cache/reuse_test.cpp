#include "cache/reuse.h"

#include <gtest/gtest.h>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using namespace std::chrono_literals;
using Reason = Reuse::Reason;

RequestDirectives asked_of(std::string_view control) {
  return RequestDirectives::of(fields_of({{"Cache-Control", control}}));
}

std::int64_t at(std::int64_t age) { return (kThen + age) * 1000; }

std::string show(const Reuse& reuse) {
  const std::string_view use = reuse.use == Use::kServe      ? "serve: "
                               : reuse.use == Use::kValidate ? "validate: "
                                                             : "serve and validate: ";
  return std::string(use) + std::string(explain(reuse.reason));
}

struct Case {
  std::string_view response;
  std::string_view request;
  std::int64_t age;
  Use use;
  Reason reason;
};

void expect(std::initializer_list<Case> cases, const Policy& policy = {}) {
  for (const Case& each : cases) {
    const auto entry = entry_with({{"Cache-Control", each.response}}, policy);
    EXPECT_EQ(show(reuse_of(*entry, asked_of(each.request), at(each.age))), show({each.use, each.reason}))
        << each.response << " / " << each.request << " at " << each.age;
  }
}

TEST(Reuse, WhatIsFreshIsServed) {
  expect({
      // RFC 9111 4.2: as long as its lifetime exceeds its age.
      {"max-age=60", "", 0, Use::kServe, Reason::kFresh},
      {"max-age=60", "", 59, Use::kServe, Reason::kFresh},
      {"max-age=60", "", 60, Use::kValidate, Reason::kStale},
      {"max-age=0", "", 0, Use::kValidate, Reason::kStale},
      {"max-age=60, must-revalidate", "", 59, Use::kServe, Reason::kFresh},
      // 5.2.2.4
      {"max-age=60, no-cache", "", 0, Use::kValidate, Reason::kNoCache},
      {"max-age=60, no-cache=\"X-A\"", "", 0, Use::kServe, Reason::kFresh},
      {"max-age=60, no-cache", "max-stale", 0, Use::kValidate, Reason::kNoCache},
  });
}

TEST(Reuse, TheClientsWordsCount) {
  expect({
      // 5.2.1.1
      {"max-age=60", "max-age=10", 10, Use::kServe, Reason::kFresh},
      {"max-age=60", "max-age=10", 11, Use::kValidate, Reason::kClientMaxAge},
      {"max-age=60", "max-age=0", 0, Use::kServe, Reason::kFresh},
      {"max-age=60", "max-age=0", 1, Use::kValidate, Reason::kClientMaxAge},
      {"max-age=60", "max-age=100", 70, Use::kValidate, Reason::kStale},
      // 5.2.1.2
      {"max-age=60", "max-stale=10", 70, Use::kServe, Reason::kClientTakesStale},
      {"max-age=60", "max-stale=10", 71, Use::kValidate, Reason::kStale},
      {"max-age=60", "max-stale", 1'000'000, Use::kServe, Reason::kClientTakesStale},
      {"max-age=60", "max-stale=0", 60, Use::kServe, Reason::kClientTakesStale},
      {"max-age=60", "max-stale, max-age=65", 66, Use::kValidate, Reason::kClientMaxAge},
      {"max-age=60", "max-stale, max-age=65", 64, Use::kServe, Reason::kClientTakesStale},
      // 5.2.1.3
      {"max-age=60", "min-fresh=20", 40, Use::kServe, Reason::kFresh},
      {"max-age=60", "min-fresh=20", 41, Use::kValidate, Reason::kClientMinFresh},
      {"max-age=60", "min-fresh=61", 0, Use::kValidate, Reason::kClientMinFresh},
      // 5.2.1.4
      {"max-age=60", "no-cache", 0, Use::kValidate, Reason::kClientNoCache},
  });
}

TEST(Reuse, StaleIsServedOnlyWhereNothingForbidsIt) {
  expect({
      // 5.2.2.2, 5.2.2.8, 5.2.2.10
      {"max-age=60, must-revalidate", "max-stale", 61, Use::kValidate, Reason::kStale},
      {"max-age=60, proxy-revalidate", "max-stale", 61, Use::kValidate, Reason::kStale},
      {"s-maxage=60", "max-stale", 61, Use::kValidate, Reason::kStale},
      {"max-age=60, must-revalidate, stale-while-revalidate=60", "", 61, Use::kValidate, Reason::kStale},
      // RFC 5861 3
      {"max-age=60, stale-while-revalidate=30", "", 59, Use::kServe, Reason::kFresh},
      {"max-age=60, stale-while-revalidate=30", "", 60, Use::kServeWhileValidating, Reason::kWhileRevalidate},
      {"max-age=60, stale-while-revalidate=30", "", 89, Use::kServeWhileValidating, Reason::kWhileRevalidate},
      {"max-age=60, stale-while-revalidate=30", "", 90, Use::kValidate, Reason::kStale},
      {"s-maxage=60, stale-while-revalidate=30", "", 60, Use::kServeWhileValidating, Reason::kWhileRevalidate},
      {"max-age=60, stale-while-revalidate=30", "max-age=60", 61, Use::kValidate, Reason::kClientMaxAge},
      {"max-age=60, stale-while-revalidate=30", "no-cache", 61, Use::kValidate, Reason::kClientNoCache},
      {"max-age=60, stale-while-revalidate=30, no-cache", "", 61, Use::kValidate, Reason::kNoCache},
  });
  Policy policy;
  policy.grace = 30s;
  expect(
      {
          {"max-age=60", "", 89, Use::kServeWhileValidating, Reason::kWhileRevalidate},
          {"max-age=60", "", 90, Use::kValidate, Reason::kStale},
          // What the answer says goes over the configuration.
          {"max-age=60, stale-while-revalidate=10", "", 70, Use::kValidate, Reason::kStale},
          {"max-age=60, stale-while-revalidate=0", "", 60, Use::kValidate, Reason::kStale},
          {"s-maxage=60", "", 60, Use::kValidate, Reason::kStale},
          {"max-age=60, must-revalidate", "", 60, Use::kValidate, Reason::kStale},
      },
      policy);
}

TEST(Reuse, WhatIsMarkedCountsAsStale) {
  const auto plain = entry_with({{"Cache-Control", "max-age=60"}});
  const auto graced = entry_with({{"Cache-Control", "max-age=60, stale-while-revalidate=30"}});
  const auto strict = entry_with({{"Cache-Control", "max-age=60, must-revalidate, stale-while-revalidate=30"}});
  for (const auto& entry : {plain, graced, strict}) entry->mark_stale();
  const auto reuse = [](const EntryPtr& entry, std::string_view control) {
    return show(reuse_of(*entry, asked_of(control), at(1)));
  };
  EXPECT_EQ(reuse(plain, ""), show({Use::kValidate, Reason::kMarkedStale}));
  EXPECT_EQ(reuse(plain, "max-stale"), show({Use::kValidate, Reason::kMarkedStale}));
  EXPECT_EQ(reuse(graced, ""), show({Use::kServeWhileValidating, Reason::kWhileRevalidate}));
  EXPECT_EQ(reuse(strict, ""), show({Use::kValidate, Reason::kMarkedStale}));
}

TEST(Reuse, StaleIsServedWhereTheUpstreamFails) {
  const struct {
    std::string_view response;
    std::string_view request;
    std::int64_t age;
    bool want;
  } cases[] = {
      // RFC 5861 4
      {"max-age=60, stale-if-error=30", "", 89, true},
      {"max-age=60, stale-if-error=30", "", 90, false},
      {"max-age=60", "", 61, false},
      {"max-age=60", "stale-if-error=30", 89, true},
      {"max-age=60", "stale-if-error=30", 90, false},
      {"max-age=60, stale-if-error=30", "no-cache", 61, false},
      {"s-maxage=60, stale-if-error=30", "", 61, true},
      {"s-maxage=60", "stale-if-error=30", 61, false},
      {"max-age=60, must-revalidate, stale-if-error=30", "", 61, false},
      {"max-age=60, proxy-revalidate, stale-if-error=30", "", 61, false},
      {"max-age=60, no-cache, stale-if-error=30", "", 1, false},
  };
  for (const auto& each : cases) {
    const auto entry = entry_with({{"Cache-Control", each.response}});
    EXPECT_EQ(may_serve_on_error(*entry, asked_of(each.request), at(each.age)), each.want)
        << each.response << " / " << each.request << " at " << each.age;
  }
  Policy policy;
  policy.stale_if_error = 30s;
  EXPECT_TRUE(may_serve_on_error(*entry_with({{"Cache-Control", "max-age=60"}}, policy), {}, at(89)));
  EXPECT_FALSE(may_serve_on_error(*entry_with({{"Cache-Control", "max-age=60"}}, policy), {}, at(90)));
  EXPECT_FALSE(may_serve_on_error(*entry_with({{"Cache-Control", "s-maxage=60"}}, policy), {}, at(61)));
  EXPECT_FALSE(
      may_serve_on_error(*entry_with({{"Cache-Control", "max-age=60, stale-if-error=0"}}, policy), {}, at(61)));
}

}  // namespace
}  // namespace rproxy::cache
