#include "cache/entry.h"

#include <gtest/gtest.h>

#include "cache/reuse.h"
#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kKey = "shop https://shop.com/a";

std::string names_of(const Meta& meta) {
  std::string names;
  for (const auto& [name, value] : meta.fields) names += (names.empty() ? "" : " ") + name;
  return names;
}

Meta stored_as(const Lines& response, const Policy& policy = {}) { return meta_of(kKey, {}, 200, response, policy); }

// What it is after a 304 that came ten seconds later.
Meta after(const Meta& stored, const Lines& answer, const Policy& policy = {}) {
  return updated(stored, fields_of(answer), (kThen + 10) * 1000, (kThen + 10) * 1000, policy);
}

TEST(Meta, HoldsWhatAClientShallSeeAndNoFraming) {
  // RFC 9111 3.1
  const Meta meta = stored_as({{"Date", date_text(kThen)},
                               {"Content-Length", "5"},
                               {"Transfer-Encoding", "chunked"},
                               {"Connection", "keep-alive"},
                               {"Keep-Alive", "timeout=5"},
                               {"Proxy-Connection", "x"},
                               {"Upgrade", "h2c"},
                               {"TE", "x"},
                               {"Trailer", "X-Sum"},
                               {"Age", "5"},
                               {"Cache-Status", "x"},
                               {"Content-Type", "text/plain"},
                               {"X-A", "1"},
                               {"x-a", "2"}});
  EXPECT_EQ(names_of(meta), "Date Content-Type X-A x-a");
  EXPECT_EQ(meta.initial_age, 5);
  EXPECT_EQ(meta.url(), "https://shop.com/a");
  EXPECT_EQ(meta.status, 200);
  EXPECT_FALSE(meta.part);
}

TEST(Meta, AnAnswerWithoutADateGetsOne) {
  // RFC 9110 6.6.1
  EXPECT_EQ(field_of(stored_as({}), "Date"), date_text(kThen));
  EXPECT_EQ(field_of(stored_as({{"Date", "x"}}), "Date"), "x");
}

TEST(Meta, HoldsThePartOfA206) {
  const Meta meta = meta_of(kKey, {}, 206, {{"Content-Range", "bytes 2-4/10"}});
  ASSERT_TRUE(meta.part);
  EXPECT_EQ(meta.part->range, (http::ByteRange{2, 4}));
  EXPECT_EQ(meta.part->size, 10U);
  EXPECT_FALSE(meta_of(kKey, {}, 200, {{"Content-Range", "bytes 2-4/10"}}).part);
}

TEST(Meta, KnowsHowItMayBeUsed) {
  const struct {
    std::string_view control;
    bool must_revalidate;
    bool no_cache;
    std::int64_t while_revalidate;
    std::int64_t if_error;
  } cases[] = {
      {"max-age=5", false, false, 100, 200},
      {"max-age=5, must-revalidate", true, false, 100, 200},
      {"max-age=5, proxy-revalidate", true, false, 100, 200},
      // RFC 9111 5.2.2.10
      {"s-maxage=5", true, false, 100, 200},
      {"s-maxage=5, stale-while-revalidate=1", false, false, 1, 200},
      {"s-maxage=5, stale-if-error=1", false, false, 100, 1},
      {"no-cache", false, true, 100, 200},
      {"no-cache=\"X-A\"", false, false, 100, 200},
      {"stale-while-revalidate=0, stale-if-error=0", false, false, 0, 0},
  };
  Policy policy;
  policy.grace = 100s;
  policy.stale_if_error = 200s;
  for (const auto& each : cases) {
    const Meta meta = stored_as({{"Cache-Control", each.control}}, policy);
    EXPECT_EQ(meta.must_revalidate, each.must_revalidate) << each.control;
    EXPECT_EQ(meta.no_cache, each.no_cache) << each.control;
    EXPECT_EQ(meta.stale_while_revalidate, each.while_revalidate) << each.control;
    EXPECT_EQ(meta.stale_if_error, each.if_error) << each.control;
  }
  EXPECT_EQ(stored_as({{"Cache-Control", "no-cache=\"X-A, X-B\""}}).no_cache_fields,
            (std::vector<std::string>{"X-A", "X-B"}));
}

TEST(Meta, KnowsItsTagsAndGroups) {
  const Meta meta = stored_as({{"Surrogate-Key", "a  b"},
                               {"Surrogate-Key", "c"},
                               {"Cache-Tag", "d e, f ,,"},
                               {"Cache-Groups", "\"g 1\", token, \"h\";x"},
                               {"cache-groups", "\"i\", (\"j\")"}});
  EXPECT_EQ(meta.tags, (std::vector<std::string>{"a", "b", "c", "d e", "f"}));
  EXPECT_EQ(meta.groups, (std::vector<std::string>{"g 1", "h", "i"}));
  EXPECT_TRUE(stored_as({{"Cache-Groups", "\"a\","}}).groups.empty());
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "t ";
  EXPECT_EQ(stored_as({{"Surrogate-Key", many}}).tags.size(), 1000U);
}

TEST(Meta, IsFreshenedByA304) {
  const Meta stored = stored_as({{"Date", date_text(kThen)},
                                 {"Cache-Control", "max-age=60"},
                                 {"ETag", "\"a\""},
                                 {"X-A", "1"},
                                 {"x-a", "2"},
                                 {"X-B", "3"},
                                 {"Surrogate-Key", "old"}});
  // RFC 9111 4.3.4 and 3.2
  const Meta meta = after(stored, {{"Date", date_text(kThen + 10)},
                                   {"Cache-Control", "max-age=99, stale-if-error=7"},
                                   {"X-A", "4"},
                                   {"X-C", "5"},
                                   {"Surrogate-Key", "new"},
                                   {"Age", "3"},
                                   {"Connection", "close"}});
  EXPECT_EQ(field_of(meta, "Date"), date_text(kThen + 10));
  EXPECT_EQ(field_of(meta, "Cache-Control"), "max-age=99, stale-if-error=7");
  EXPECT_EQ(field_of(meta, "X-A"), "4");
  EXPECT_EQ(field_of(meta, "X-B"), "3");
  EXPECT_EQ(field_of(meta, "X-C"), "5");
  EXPECT_EQ(field_of(meta, "ETag"), "\"a\"");
  EXPECT_EQ(field_of(meta, "Age") + field_of(meta, "Connection"), "");
  EXPECT_EQ(meta.freshness.lifetime, 99);
  EXPECT_EQ(meta.stale_if_error, 7);
  EXPECT_EQ(meta.initial_age, 3);
  EXPECT_EQ(meta.received_ms, (kThen + 10) * 1000);
  EXPECT_EQ(meta.tags, (std::vector<std::string>{"new"}));
  EXPECT_EQ(meta.key, stored.key);
  EXPECT_EQ(meta.status, 200);
}

TEST(Meta, A304SaysNothingOfTheStoredContent) {
  Meta stored = meta_of(kKey, {}, 206, {{"Content-Range", "bytes 2-4/10"}, {"Content-Type", "text/plain"}});
  // RFC 9111 3.2
  const Meta meta = after(stored, {{"Content-Length", "0"},
                                   {"Content-Type", "text/html"},
                                   {"Content-Encoding", "gzip"},
                                   {"Content-Range", "bytes 0-4/5"},
                                   {"Content-MD5", "x"}});
  EXPECT_EQ(field_of(meta, "Content-Type"), "text/plain");
  EXPECT_EQ(field_of(meta, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(field_of(meta, "Content-Encoding") + field_of(meta, "Content-Length") + field_of(meta, "Content-MD5"), "");
  ASSERT_TRUE(meta.part);
  EXPECT_EQ(meta.part->range, (http::ByteRange{2, 4}));
}

TEST(Meta, A304WithoutWordsKeepsTheStoredOnes) {
  const Meta stored = stored_as({{"Date", date_text(kThen - 30)}, {"Cache-Control", "max-age=60, must-revalidate"}});
  EXPECT_EQ(stored.initial_age, 30);
  const Meta meta = after(stored, {});
  EXPECT_EQ(meta.freshness.lifetime, 60);
  EXPECT_TRUE(meta.must_revalidate);
  // Without a Date it is as of when it came.
  EXPECT_EQ(meta.initial_age, 0);
  EXPECT_EQ(field_of(meta, "Date"), date_text(kThen + 10));
}

TEST(Meta, A304ObeysTheConfigurationAsAnAnswerDoes) {
  Policy policy;
  policy.ttl = 100s;
  policy.grace = 5s;
  const Meta meta = after(stored_as({}, policy), {{"Age", "50"}, {"Cache-Control", "max-age=1"}}, policy);
  EXPECT_EQ(meta.freshness.source, Freshness::Source::kPolicy);
  EXPECT_EQ(meta.freshness.lifetime, 100);
  EXPECT_EQ(meta.initial_age, 0);
  EXPECT_EQ(meta.stale_while_revalidate, 5);
}

TEST(Entry, ValidationMakesAnotherThatSharesTheContent) {
  const auto entry = entry_with({{"Cache-Control", "max-age=60"}});
  entry->mark_stale();
  const Entry newer(after(entry->meta(), {{"X-A", "1"}}), entry->content());
  EXPECT_FALSE(newer.is_marked_stale());
  EXPECT_EQ(newer.content(), entry->content());
  EXPECT_EQ(newer.fields().find("X-A")->value, "1");
  EXPECT_EQ(entry->fields().find("X-A"), nullptr);
}

TEST(Entry, CostsItsContentAndItsHead) {
  const auto small = entry_of(stored_as({}), "");
  EXPECT_GE(small->cost(), sizeof(Entry));
  EXPECT_GE(entry_of(stored_as({}), std::string(10'000, 'x'))->cost(), small->cost() + 10'000);
  EXPECT_GE(entry_of(stored_as({{"X-A", std::string(5'000, 'x')}}), "")->cost(), small->cost() + 5'000);
  EXPECT_GE(entry_of(stored_as({{"Cache-Tag", std::string(500, 'x')}}), "")->cost(), small->cost() + 1'000);
}

TEST(Meta, HoldsNothingThatWasForAProxy) {
  // RFC 9111 3.1
  const Meta meta = stored_as({{"Proxy-Authenticate", "Basic"},
                               {"Proxy-Authentication-Info", "x"},
                               {"Proxy-Authorization", "x"},
                               {"HTTP2-Settings", "x"}});
  EXPECT_EQ(names_of(meta), "Date");
}

TEST(Entry, CostsWhatTellsItFromOthers) {
  const auto cost = [](const Meta& meta) { return entry_of(meta, "")->cost(); };
  const std::string text(5'000, 'x');
  const Meta plain = meta_of(kKey, {{"X-A", "x"}}, 200, {{"Vary", "X-A"}});
  // The value is there as it was written, too.
  EXPECT_GE(cost(meta_of(kKey, {{"X-A", text}}, 200, {{"Vary", "X-A"}})), cost(plain) + 9'990);
  Meta meta = plain;
  meta.extras = text;
  EXPECT_GE(cost(meta), cost(plain) + 5'000);
  meta.groups = {text, text};
  EXPECT_GE(cost(meta), cost(plain) + 15'000);
  meta.no_cache_fields = {text};
  EXPECT_GE(cost(meta), cost(plain) + 20'000);
}

TEST(Meta, CookiesOfA304AreSharedNoMoreThanThoseOfAnAnswer) {
  const std::pair<std::string_view, std::string_view> cookie = {"Set-Cookie", "session=1"};
  const auto cookies = [&](const Lines& stored, const Lines& answer, const Policy& policy = {}) {
    return field_of(after(stored_as(stored, policy), answer, policy), "Set-Cookie");
  };
  EXPECT_EQ(cookies({{"Cache-Control", "max-age=60"}}, {cookie}), "");
  EXPECT_EQ(cookies({{"Cache-Control", "max-age=60, public"}}, {cookie}), "session=1");
  EXPECT_EQ(cookies({{"Cache-Control", "s-maxage=60"}, {"Set-Cookie", "a=1"}}, {cookie}), "session=1");
  EXPECT_EQ(cookies({{"Cache-Control", "public"}, {"Set-Cookie", "a=1"}}, {}), "a=1");
  EXPECT_EQ(cookies({{"Cache-Control", "public"}, {"Set-Cookie", "a=1"}}, {{"Cache-Control", "max-age=60"}}), "");
  Policy policy;
  policy.store_cookies = true;
  EXPECT_EQ(cookies({{"Cache-Control", "max-age=60"}}, {cookie}, policy), "session=1");
}

TEST(Meta, WhatA304ForbidsToShareIsValidatedEachTime) {
  const struct {
    Lines stored;
    Lines answer;
    bool want;
  } cases[] = {
      {{{"Cache-Control", "max-age=60"}}, {{"Cache-Control", "max-age=60"}}, false},
      {{{"Cache-Control", "max-age=60"}}, {{"Cache-Control", "max-age=60, private"}}, true},
      {{{"Cache-Control", "max-age=60"}}, {{"Cache-Control", "max-age=60, no-store"}}, true},
      {{{"Cache-Control", "max-age=60"}}, {{"Cache-Control", "max-age=60, no-store, must-understand"}}, false},
      {{{"CDN-Cache-Control", "max-age=60"}}, {{"Cache-Control", "private"}}, false},
      {{}, {{"Vary", "Accept"}}, true},
      {{}, {{"Vary", "*"}}, true},
      {{{"Vary", "Accept"}}, {}, false},
      {{{"Vary", "Accept"}}, {{"Vary", "accept"}}, false},
      {{{"Vary", "Accept, Cookie"}}, {{"Vary", "Cookie"}}, false},
      {{{"Vary", "Accept"}}, {{"Vary", "Accept, Cookie"}}, true},
  };
  for (const auto& [stored, answer, want] : cases) {
    EXPECT_EQ(after(stored_as(stored), answer).no_cache, want) << (answer.empty() ? "" : answer[0].second);
  }
}

}  // namespace
}  // namespace rproxy::cache
