#include "cache/storing.h"

#include <gtest/gtest.h>

#include "cache/vary.h"
#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using namespace std::chrono_literals;
using V = StoreVerdict;

StoreVerdict verdict(const http::RequestHead& request, std::uint16_t status, const Lines& lines,
                     const Policy& policy = {}) {
  const auto response = response_of(status, lines);
  const auto directives = ResponseDirectives::of(response.fields);
  return may_store(request, RequestDirectives::of(request.fields), response, directives,
                   freshness_of(status, response.fields, directives, policy, kThen), policy);
}

struct Case {
  Lines request;
  std::uint16_t status;
  Lines response;
  StoreVerdict want;
};

void expect(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    EXPECT_EQ(explain(verdict(request_of(each.request), each.status, each.response)), explain(each.want))
        << each.status << ' ' << (each.response.empty() ? "" : each.response.back().second);
  }
}

TEST(Storing, AsksForAGetAndAWordOnFreshness) {
  // RFC 9111 3
  expect({
      {{}, 200, {{"Cache-Control", "max-age=60"}}, V::kStore},
      {{}, 200, {{"Cache-Control", "s-maxage=60"}}, V::kStore},
      {{}, 200, {{"Expires", "Mon, 07 Nov 1994 08:49:37 GMT"}}, V::kStore},
      {{}, 200, {{"Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT"}}, V::kStore},
      {{}, 500, {{"Cache-Control", "max-age=60"}}, V::kStore},
      {{}, 302, {{"Cache-Control", "max-age=60"}}, V::kStore},
      {{}, 302, {{"ETag", "\"a\""}}, V::kNotSaid},
      {{}, 302, {{"ETag", "\"a\""}, {"Cache-Control", "public"}}, V::kStore},
      {{}, 404, {{"ETag", "\"a\""}}, V::kStore},
      {{}, 503, {}, V::kNotSaid},
      // 4.3.1: what is stale as it comes is of use if it can be validated.
      {{}, 200, {}, V::kUseless},
      {{}, 200, {{"Cache-Control", "max-age=0"}}, V::kUseless},
      {{}, 200, {{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}, V::kStore},
      {{}, 200, {{"Expires", "0"}, {"Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT"}}, V::kStore},
      // RFC 5861: or may be given stale.
      {{}, 200, {{"Cache-Control", "max-age=0, stale-while-revalidate=5"}}, V::kStore},
      {{}, 200, {{"Cache-Control", "max-age=0, stale-if-error=5"}}, V::kStore},
      {{}, 200, {{"Cache-Control", "max-age=0, stale-if-error=0"}}, V::kUseless},
      {{}, 200, {{"Cache-Control", "max-age=0, no-cache, stale-if-error=5"}}, V::kUseless},
      // Not final, or of no use alone.
      {{}, 103, {{"Cache-Control", "max-age=60"}}, V::kNotUnderstood},
      {{}, 304, {{"Cache-Control", "max-age=60"}}, V::kNotUnderstood},
      // 3.3
      {{}, 206, {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-4/10"}}, V::kStore},
      {{}, 206, {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-4/*"}}, V::kPartial},
      {{}, 206, {{"Cache-Control", "max-age=60"}, {"Content-Range", "lines 0-4/10"}}, V::kPartial},
      {{}, 206, {{"Cache-Control", "max-age=60"}, {"Content-Type", "multipart/byteranges"}}, V::kPartial},
  });
  for (const std::string_view method : {"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "QUERY", "get"}) {
    EXPECT_EQ(verdict(request_of({}, method), 200, {{"Cache-Control", "max-age=60"}}), V::kMethod) << method;
  }
}

TEST(Storing, ObeysWhatForbidsIt) {
  expect({
      // 5.2.1.5
      {{{"Cache-Control", "no-store"}}, 200, {{"Cache-Control", "max-age=60"}}, V::kClientNoStore},
      {{{"Cache-Control", "no-cache"}}, 200, {{"Cache-Control", "max-age=60"}}, V::kStore},
      // 5.2.2.5
      {{}, 200, {{"Cache-Control", "max-age=60, no-store"}}, V::kNoStore},
      {{}, 200, {{"Cache-Control", "public, No-Store"}}, V::kNoStore},
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"Cache-Control", "no-store"}}, V::kNoStore},
      // 5.2.2.7
      {{}, 200, {{"Cache-Control", "max-age=60, private"}}, V::kPrivate},
      {{}, 200, {{"Cache-Control", "max-age=60, private=\"X-A\""}}, V::kPrivate},
      {{}, 200, {{"Cache-Control", "public, private, max-age=60"}}, V::kPrivate},
      {{}, 200, {{"Cache-Control", "s-maxage=60, private"}}, V::kPrivate},
      // 5.2.2.3: must-understand goes over no-store where the status is understood.
      {{}, 200, {{"Cache-Control", "max-age=60, must-understand, no-store"}}, V::kStore},
      {{}, 307, {{"Cache-Control", "max-age=60, must-understand, no-store"}}, V::kStore},
      {{}, 599, {{"Cache-Control", "max-age=60, must-understand, no-store"}}, V::kNotUnderstood},
      {{}, 599, {{"Cache-Control", "max-age=60, must-understand"}}, V::kNotUnderstood},
      {{}, 599, {{"Cache-Control", "max-age=60"}}, V::kStore},
      {{}, 200, {{"Cache-Control", "max-age=60, must-understand, private"}}, V::kPrivate},
      // 4.1
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"Vary", "*"}}, V::kVaryAll},
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept , *"}}, V::kVaryAll},
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"Vary", "*"}}, V::kVaryAll},
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}}, V::kStore},
      // RFC 9213 2.2
      {{}, 200, {{"Cache-Control", "no-store, private"}, {"CDN-Cache-Control", "max-age=60"}}, V::kStore},
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "no-store"}}, V::kNoStore},
      {{}, 200, {{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "private"}}, V::kPrivate},
      {{}, 200, {{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=60,"}}, V::kNoStore},
  });
}

TEST(Storing, AnswersToAuthorizationMustAllowIt) {
  const Lines authorized = {{"Authorization", "Basic YTpi"}};
  // RFC 9111 3.5
  expect({
      {authorized, 200, {{"Cache-Control", "max-age=60"}}, V::kAuthorization},
      {authorized, 200, {{"Cache-Control", "max-age=60, public"}}, V::kStore},
      {authorized, 200, {{"Cache-Control", "s-maxage=60"}}, V::kStore},
      {authorized, 200, {{"Cache-Control", "max-age=60, must-revalidate"}}, V::kStore},
      {authorized, 200, {{"Cache-Control", "max-age=60, proxy-revalidate"}}, V::kAuthorization},
      {authorized, 200, {{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "public, max-age=60"}}, V::kStore},
      {authorized, 200, {{"Cache-Control", "public, private"}}, V::kPrivate},
      {{{"Authorization", ""}}, 200, {{"Cache-Control", "max-age=60"}}, V::kAuthorization},
  });
}

TEST(Storing, CookiesAreNotSharedUnlessAllowedInWords) {
  const std::pair<std::string_view, std::string_view> cookie = {"Set-Cookie", "session=1"};
  expect({
      {{}, 200, {{"Cache-Control", "max-age=60"}, cookie}, V::kSetCookie},
      {{}, 200, {{"Expires", "Mon, 07 Nov 1994 08:49:37 GMT"}, cookie}, V::kSetCookie},
      {{}, 200, {{"Cache-Control", "max-age=60, must-revalidate"}, cookie}, V::kSetCookie},
      {{}, 200, {{"Cache-Control", "max-age=60, no-cache=\"Set-Cookie\""}, cookie}, V::kSetCookie},
      {{}, 200, {{"Cache-Control", "max-age=60, public"}, cookie}, V::kStore},
      {{}, 200, {{"Cache-Control", "s-maxage=60"}, cookie}, V::kStore},
      {{}, 200, {{"CDN-Cache-Control", "max-age=60"}, cookie}, V::kStore},
  });
  Policy policy;
  policy.ttl = 60s;
  EXPECT_EQ(verdict(request_of({}), 200, {cookie}, policy), V::kSetCookie);
  policy.store_cookies = true;
  EXPECT_EQ(verdict(request_of({}), 200, {cookie}, policy), V::kStore);
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "private"}, cookie}, policy), V::kPrivate);
}

TEST(Storing, AConfiguredTtlForcesNoneOfWhatIsForbidden) {
  Policy policy;
  policy.ttl = 60s;
  EXPECT_EQ(verdict(request_of({}), 200, {}, policy), V::kStore);
  EXPECT_EQ(verdict(request_of({}), 302, {}, policy), V::kNotSaid);
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "no-store"}}, policy), V::kNoStore);
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "private"}}, policy), V::kPrivate);
  EXPECT_EQ(verdict(request_of({{"Authorization", "x"}}), 200, {}, policy), V::kAuthorization);
  Policy lenient;
  lenient.grace = 60s;
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "max-age=0"}}, lenient), V::kStore);
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "no-cache"}}, lenient), V::kUseless);
}

TEST(Storing, EveryVerdictIsExplained) {
  for (int each = 0; each <= static_cast<int>(V::kTooLarge); ++each) {
    EXPECT_FALSE(explain(static_cast<V>(each)).empty()) << each;
  }
}

TEST(Storing, WhatVariesByMoreThanIsLookedAtIsNotStored) {
  std::string names;
  for (std::size_t i = 0; i < kVaryNamesMax; ++i) names += "X-" + std::to_string(i) + ", ";
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "max-age=60"}, {"Vary", names}}), V::kStore);
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "max-age=60"}, {"Vary", names + "Cookie"}}), V::kVaryAll);
  EXPECT_EQ(verdict(request_of({}), 200, {{"Cache-Control", "max-age=60"}, {"Vary", names}, {"Vary", "Cookie"}}),
            V::kVaryAll);
}

TEST(Storing, CdnCacheControlAllowsNoMoreThanItSays) {
  const Lines authorized = {{"Authorization", "Basic YTpi"}};
  const std::pair<std::string_view, std::string_view> cookie = {"Set-Cookie", "session=1"};
  const std::pair<std::string_view, std::string_view> tag = {"ETag", "\"a\""};
  expect({
      // RFC 9213 2.1, RFC 9111 3.5
      {authorized, 200, {{"CDN-Cache-Control", "max-age=60"}}, V::kAuthorization},
      {authorized, 200, {{"CDN-Cache-Control", "foo"}, tag}, V::kAuthorization},
      {authorized, 200, {{"CDN-Cache-Control", "max-age=60"}, {"Cache-Control", "public"}}, V::kAuthorization},
      {authorized, 200, {{"CDN-Cache-Control", "s-maxage=60"}}, V::kStore},
      {authorized, 200, {{"CDN-Cache-Control", "max-age=60, must-revalidate"}}, V::kStore},
      {{}, 200, {{"CDN-Cache-Control", "foo"}, tag, cookie}, V::kSetCookie},
      {{}, 200, {{"CDN-Cache-Control", "stale-if-error=5"}, cookie}, V::kSetCookie},
      {{}, 200, {{"CDN-Cache-Control", "public"}, tag, cookie}, V::kStore},
  });
}

TEST(Storing, WhatCanNeverBeUsedIsNotStored) {
  // RFC 9111 5.2.2.4, 4.3.1
  expect({
      {{}, 200, {{"Cache-Control", "max-age=60, no-cache"}}, V::kUseless},
      {{}, 200, {{"Cache-Control", "max-age=60, no-cache"}, {"ETag", "\"a\""}}, V::kStore},
      {{}, 200, {{"Cache-Control", "max-age=60, no-cache=\"X-A\""}}, V::kStore},
  });
}

}  // namespace
}  // namespace rproxy::cache
