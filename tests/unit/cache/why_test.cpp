#include "cache/why.h"

#include <gtest/gtest.h>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using Answer = Why::Answer;

constexpr std::string_view kKey = "shop https://shop.com/a";

std::int64_t at(std::int64_t age) { return (kThen + age) * 1000; }

Why ask(const std::vector<WhyCandidate>& candidates, const Lines& request, std::int64_t age,
        std::string_view extras = {}) {
  const auto fields = fields_of(request);
  std::optional<http::RangeSpec> range;
  if (const auto* field = fields.find(http::FieldId::kRange)) range = http::read_single_range(field->value);
  const WhyAsked asked{key_of(kKey, extras), fields, RequestDirectives::of(fields), range};
  return why(asked, candidates, at(age));
}

WhyCandidate stored(const Lines& response, const Lines& request = {}, std::int64_t when = kThen) {
  return {entry_of(meta_of(kKey, request, 200, response, {}, when))};
}

TEST(Why, NamesTheClauseForEachAnswer) {
  const struct {
    std::string_view response;
    std::string_view request;
    std::int64_t age;
    Answer answer;
    std::string_view reason;
  } cases[] = {
      {"max-age=60", "", 10, Answer::kHit, "it is fresh (RFC 9111 4.2): for 50 s more"},
      {"max-age=60", "", 95, Answer::kValidate, "it is stale (RFC 9111 4.2): for 35 s, and nothing allows it so"},
      {"max-age=60, must-revalidate", "max-stale", 95, Answer::kValidate,
       "it is stale (RFC 9111 4.2): for 35 s, and must-revalidate (RFC 9111 5.2.2.2) forbids it so"},
      {"max-age=60, proxy-revalidate", "", 95, Answer::kValidate,
       "it is stale (RFC 9111 4.2): for 35 s, and proxy-revalidate (RFC 9111 5.2.2.8) forbids it so"},
      {"s-maxage=60", "", 95, Answer::kValidate,
       "it is stale (RFC 9111 4.2): for 35 s, and s-maxage (RFC 9111 5.2.2.10) forbids it so"},
      {"max-age=60, stale-while-revalidate=30", "", 95, Answer::kValidate,
       "it is stale (RFC 9111 4.2): for 35 s, longer than the 30 s of stale-while-revalidate (RFC 5861 3)"},
      {"max-age=60, stale-while-revalidate=90", "", 95, Answer::kHitWhileValidating,
       "it is stale, but may be served while it is validated (stale-while-revalidate, RFC 5861 3): for 35 s"},
      {"max-age=60", "max-stale=40", 95, Answer::kHit,
       "it is stale, but the client takes it so (max-stale, RFC 9111 5.2.1.2): for 35 s"},
      {"max-age=60", "max-stale=20", 95, Answer::kValidate,
       "it is stale (RFC 9111 4.2): for 35 s, and the client takes no more than 20 s of that"},
      {"max-age=60", "no-cache", 10, Answer::kValidate, "the client wants it validated (no-cache, RFC 9111 5.2.1.4)"},
      {"max-age=60", "max-age=5", 10, Answer::kValidate,
       "the client wants it younger (max-age, RFC 9111 5.2.1.1): 5 s at most, and it is 10 s old"},
      {"max-age=60", "min-fresh=55", 10, Answer::kValidate,
       "the client wants it fresh for longer (min-fresh, RFC 9111 5.2.1.3): 55 s more, and it is so for 50 s"},
      {"max-age=60, no-cache", "", 1, Answer::kValidate, "no-cache has it validated each time (RFC 9111 5.2.2.4)"},
  };
  for (const auto& each : cases) {
    const Why found = ask({stored({{"Cache-Control", each.response}})}, {{"Cache-Control", each.request}}, each.age);
    EXPECT_EQ(found.answer, each.answer) << each.response << " / " << each.request;
    EXPECT_EQ(found.reason, each.reason);
    EXPECT_EQ(found.chosen, 0U);
  }
}

TEST(Why, SaysUntilWhenItIsAHit) {
  const auto until = [](std::string_view response, std::string_view request, std::int64_t age) {
    const Why found = ask({stored({{"Cache-Control", response}})}, {{"Cache-Control", request}}, age);
    return found.until_ms ? *found.until_ms / 1000 - kThen : -1;
  };
  EXPECT_EQ(until("max-age=60", "", 10), 60);
  EXPECT_EQ(until("max-age=60", "max-age=20", 10), 20);
  EXPECT_EQ(until("max-age=60", "min-fresh=20", 10), 40);
  EXPECT_EQ(until("max-age=60", "max-stale=30", 70), 90);
  EXPECT_EQ(until("max-age=60, stale-while-revalidate=10", "", 65), 70);
  EXPECT_EQ(until("max-age=60", "", 60), -1);
}

TEST(Why, NothingStoredIsSaidSo) {
  EXPECT_EQ(ask({}, {}, 0).reason, "nothing is stored of https://shop.com/a");
  EXPECT_EQ(ask({}, {}, 0).answer, Answer::kMiss);
  EXPECT_EQ(ask({}, {{"Cache-Control", "only-if-cached"}}, 0).reason,
            "nothing is stored of https://shop.com/a; the client wants nothing else: it gets 504 "
            "(only-if-cached, RFC 9111 5.2.1.7)");
}

TEST(Why, VariantsThatDifferAreNamed) {
  const Lines response{{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Language, X-A"}};
  const auto german = stored(response, {{"Accept-Language", "de"}});
  const Why found = ask({german}, {{"Accept-Language", "fr"}}, 0);
  EXPECT_EQ(found.answer, Answer::kMiss);
  EXPECT_EQ(
      found.reason,
      "it varies by what this request has otherwise (RFC 9111 4.1): accept-language: stored for \"de\", asked with "
      "\"fr\"");
  EXPECT_EQ(
      ask({german}, {{"X-A", ""}}, 0).misfits.front(),
      "it varies by what this request has otherwise (RFC 9111 4.1): accept-language: stored for \"de\", asked with "
      "none; x-a: stored for none, asked with an empty one");
  const auto french = stored(response, {{"Accept-Language", "fr"}});
  const Why two = ask({german, french}, {{"Accept-Language", "fr"}}, 0);
  EXPECT_EQ(two.chosen, 1U);
  EXPECT_EQ(two.misfits.back(), "");
  EXPECT_EQ(ask({german, french}, {}, 0).reason, "none of the 2 answers that are stored fits");
}

TEST(Why, TheNewestThatFitsIsChosenAndAWholeOneBeforeParts) {
  const Lines response{{"Cache-Control", "max-age=60"}};
  EXPECT_EQ(ask({stored(response), stored(response, {}, kThen + 5), stored(response, {}, kThen + 1)}, {}, 6).chosen,
            1U);
  Meta part =
      meta_of(kKey, {}, 206, {{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-9/100"}}, {}, kThen + 9);
  const WhyCandidate slice{entry_of(part)};
  EXPECT_EQ(ask({stored(response), slice}, {{"Range", "bytes=2-5"}}, 10).chosen, 0U);
  EXPECT_EQ(ask({slice}, {{"Range", "bytes=2-5"}}, 10).answer, Answer::kHit);
  EXPECT_EQ(ask({slice}, {{"Range", "bytes=5-50"}}, 10).reason,
            "it is a part, bytes 0-9 of 100, and has not all of the range (RFC 9111 3.3)");
  EXPECT_EQ(ask({slice}, {}, 10).reason, "it is a part, bytes 0-9 of 100, and the whole is asked for (RFC 9111 3.3)");
}

TEST(Why, PurgesAndKeysCount) {
  const auto soft = stored({{"Cache-Control", "max-age=60"}});
  soft.entry->mark_stale();
  EXPECT_EQ(
      ask({soft}, {}, 1).reason,
      "it has been purged softly, or its URL has seen another method since (RFC 9111 4.4): and nothing allows it so");
  auto gone = stored({{"Cache-Control", "max-age=60"}});
  gone.is_purged = true;
  EXPECT_EQ(ask({gone}, {}, 1).reason, "it has been purged");
  EXPECT_EQ(ask({stored({{"Cache-Control", "max-age=60"}})}, {}, 1, " x-device:mobile").reason,
            "the key has more than the URL, and that differs: stored without, asked x-device:mobile");
  Meta other = meta_of("blog https://shop.com/a", {}, 200, {{"Cache-Control", "max-age=60"}});
  EXPECT_EQ(ask({{entry_of(other)}}, {}, 1).reason, "its key is another: blog https://shop.com/a");
}

TEST(Why, FreshnessIsSpeltOut) {
  const Meta meta = meta_of(kKey, {}, 200, {{"Cache-Control", "max-age=60, stale-while-revalidate=30"}, {"Age", "5"}});
  std::string text;
  for (const auto& [name, value] : freshness_terms(meta, false, at(10))) text += name + ": " + value + "\n";
  EXPECT_EQ(text,
            "lifetime: 60 s, of max-age\n"
            "age: 15 s: 5 when it came, 10 here since\n"
            "left: 60 - 15 = 45 s: fresh\n"
            "swr: 30 s more, while it is validated (RFC 5861 3)\n");
  EXPECT_EQ(fresh_until_ms(meta), at(55));
}

TEST(Why, OptionsAreReadOffExtras) {
  const auto options = options_in(" x-device:mobile:x%20y accept cookie:lang%3Aa=de cookie:b");
  EXPECT_EQ(options.headers, (std::vector<std::string>{"x-device", "accept"}));
  EXPECT_EQ(options.cookies, (std::vector<std::string>{"lang:a", "b"}));
  EXPECT_EQ(options_in("").headers.size() + options_in(" ").cookies.size(), 0U);
}

}  // namespace
}  // namespace rproxy::cache
