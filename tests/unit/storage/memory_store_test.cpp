#include "storage/memory_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "unit/cache/heads.h"

namespace rproxy::storage {

using namespace cache;
namespace {

constexpr std::uint64_t kOneShard = 8 * 1024 * 1024;

// What is asked for, with all that a Wanted views.
struct Question {
  explicit Question(std::string text, const Lines& lines = {}, std::string_view range = {}, std::string extra = {})
      : url(std::move(text)), extras(std::move(extra)), request(fields_of(lines)) {
    if (!range.empty()) wanted.range = http::read_single_range(range);
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  std::string url;
  std::string extras;
  http::Fields request;
  Key key = key_of(url, extras);
  Wanted wanted{key, request, std::nullopt};
};

EntryPtr answer(std::string_view url, const Lines& request = {}, const Lines& response = {},
                std::string_view content = "hello", std::uint16_t status = 200) {
  return entry_of(meta_of(url, request, status, response), content);
}

EntryPtr part(std::string_view url, std::string_view range, std::string_view content) {
  return answer(url, {}, {{"Content-Range", range}}, content, 206);
}

EntryPtr found(MemoryStore& store, std::string_view url, const Lines& request = {}, std::string_view range = {}) {
  const Question question(std::string(url), request, range);
  return store.find(question.wanted);
}

std::uint64_t sum_of_costs(const MemoryStore& store) {
  std::uint64_t sum = 0;
  store.for_each([&](const MemoryStore::Row& row) { sum += row.entry->cost(); });
  return sum;
}

TEST(MemoryStore, FindsWhatWasInserted) {
  MemoryStore store(kOneShard);
  EXPECT_EQ(found(store, "s https://a/"), nullptr);
  const auto entry = answer("s https://a/");
  EXPECT_TRUE(store.insert(entry));
  EXPECT_EQ(found(store, "s https://a/"), entry);
  EXPECT_EQ(found(store, "t https://a/"), nullptr);
  EXPECT_EQ(found(store, "s https://a/b"), nullptr);
  EXPECT_EQ(store.counts().objects, 1U);
  EXPECT_EQ(store.bytes(), entry->cost());

  const auto newer = answer("s https://a/");
  EXPECT_TRUE(store.insert(newer));
  EXPECT_EQ(found(store, "s https://a/"), newer);
  EXPECT_EQ(store.counts().objects, 1U);
  store.remove(entry);
  EXPECT_EQ(found(store, "s https://a/"), newer);
  store.remove(newer);
  EXPECT_EQ(found(store, "s https://a/"), nullptr);
  EXPECT_EQ(store.counts().objects, 0U);
  EXPECT_EQ(store.bytes(), 0U);
}

TEST(MemoryStore, HitsAreCountedAndPassedOn) {
  MemoryStore store(kOneShard);
  const auto entry = answer("s https://a/");
  store.insert(entry);
  found(store, "s https://a/");
  found(store, "s https://a/");
  store.insert(answer("s https://a/"), entry);
  found(store, "s https://a/");
  std::uint64_t hits = 0;
  store.for_each([&](const MemoryStore::Row& row) { hits = row.hits; });
  EXPECT_EQ(hits, 3U);
}

TEST(MemoryStore, VariantsStandBesideEachOther) {
  MemoryStore store(kOneShard);
  const Lines vary = {{"Vary", "Accept-Language"}};
  const auto german = answer("s https://a/", {{"Accept-Language", "de"}}, vary);
  const auto english = answer("s https://a/", {{"Accept-Language", "en"}}, vary);
  store.insert(german);
  store.insert(english);
  EXPECT_EQ(found(store, "s https://a/", {{"Accept-Language", "de"}}), german);
  EXPECT_EQ(found(store, "s https://a/", {{"Accept-Language", "EN"}}), english);
  EXPECT_EQ(found(store, "s https://a/", {{"Accept-Language", "fr"}}), nullptr);
  EXPECT_EQ(found(store, "s https://a/"), nullptr);
  // RFC 9111 4.1: of those that fit the newest.
  const auto any = answer("s https://a/");
  store.insert(any);
  EXPECT_EQ(found(store, "s https://a/", {{"Accept-Language", "de"}}), any);
  EXPECT_EQ(store.counts().objects, 3U);
}

TEST(MemoryStore, ExtrasTellAnswersApart) {
  MemoryStore store(kOneShard);
  auto meta = meta_of("s https://a/", {}, 200, {});
  meta.extras = " x:1";
  store.insert(entry_of(meta));
  EXPECT_EQ(found(store, "s https://a/"), nullptr);
  const Question question("s https://a/", {}, {}, " x:1");
  EXPECT_NE(store.find(question.wanted), nullptr);
}

TEST(MemoryStore, KeepsSoManyVariantsOfOneUrl) {
  MemoryStore store(kOneShard);
  for (std::size_t i = 0; i < MemoryStore::kVariantsMax + 10; ++i) {
    const auto name = std::to_string(i);
    store.insert(answer("s https://a/", {{"X-A", name}}, {{"Vary", "X-A"}}));
  }
  EXPECT_EQ(store.counts().objects, MemoryStore::kVariantsMax);
  EXPECT_EQ(found(store, "s https://a/", {{"X-A", "9"}}), nullptr) << "the oldest went";
  EXPECT_NE(found(store, "s https://a/", {{"X-A", "10"}}), nullptr);
  EXPECT_EQ(store.bytes(), sum_of_costs(store));
}

TEST(MemoryStore, APartServesWhatItCovers) {
  MemoryStore store(kOneShard);
  const auto middle = part("s https://a/", "bytes 2-4/10", "cde");
  const auto end = part("s https://a/", "bytes 6-9/10", "ghij");
  store.insert(middle);
  store.insert(end);
  const struct {
    std::string_view range;
    EntryPtr want;
  } cases[] = {
      {"", nullptr},          {"bytes=2-4", middle}, {"bytes=3-3", middle}, {"bytes=2-5", nullptr},
      {"bytes=1-4", nullptr}, {"bytes=6-", end},     {"bytes=7-100", end},  {"bytes=-4", end},
      {"bytes=-1", end},      {"bytes=-5", nullptr}, {"bytes=-0", nullptr}, {"bytes=10-", nullptr},
      {"bytes=5-", nullptr},
  };
  for (const auto& [range, want] : cases) EXPECT_EQ(found(store, "s https://a/", {}, range), want) << range;
  // A whole one goes before parts, and in their place.
  const auto whole = answer("s https://a/", {}, {}, "abcdefghij");
  store.insert(whole);
  EXPECT_EQ(store.counts().objects, 1U);
  EXPECT_EQ(found(store, "s https://a/", {}, "bytes=2-4"), whole);
}

TEST(MemoryStore, WhatHasFailedIsNotFound) {
  MemoryStore store(kOneShard);
  const auto content = std::make_shared<Content>(10);
  const auto entry = std::make_shared<const Entry>(meta_of("s https://a/", {}, 200, {}), content);
  store.insert(entry);
  EXPECT_EQ(found(store, "s https://a/"), entry);
  content->fail(Error(ErrorCode::kReset));
  EXPECT_EQ(found(store, "s https://a/"), nullptr);
}

TEST(MemoryStore, KeepsToItsBytes) {
  MemoryStore store(kOneShard);
  EXPECT_FALSE(store.insert(answer("s https://a/", {}, {}, std::string(kOneShard, 'x'))));
  EXPECT_EQ(store.counts().objects, 0U);
  for (int i = 0; i < 300; ++i) {
    EXPECT_TRUE(store.insert(answer(fmt::format("s https://a/{}", i), {}, {}, std::string(100'000, 'x'))));
    ASSERT_LE(store.bytes(), kOneShard);
    ASSERT_EQ(store.bytes(), sum_of_costs(store));
  }
  EXPECT_GT(store.bytes(), kOneShard - 200'000);
  EXPECT_EQ(store.counts().objects + store.counts().evicted, 300U);
}

TEST(MemoryStore, WhatHasGrownIsCountedWhenItSettles) {
  MemoryStore store(kOneShard);
  for (int i = 0; i < 7; ++i)
    store.insert(answer(fmt::format("s https://a/{}", i), {}, {}, std::string(1'000'000, 'x')));
  const auto content = std::make_shared<Content>(std::nullopt);
  const auto entry = std::make_shared<const Entry>(meta_of("s https://b/", {}, 200, {}), content);
  store.insert(entry);
  EXPECT_EQ(store.counts().objects, 8U);
  content->append(std::string(2'000'000, 'x'));
  content->finish();
  store.settle(entry);
  EXPECT_LE(store.bytes(), kOneShard);
  EXPECT_EQ(store.bytes(), sum_of_costs(store));
  store.settle(answer("s https://c/"));
}

TEST(MemoryStore, AHotSetSurvivesAScan) {
  MemoryStore store(kOneShard);
  const std::string content(40'000, 'x');
  const auto ask = [&](std::string url) {
    const bool had = found(store, url) != nullptr;
    if (!had) store.insert(answer(url, {}, {}, content));
    return had;
  };
  for (int round = 0; round < 4; ++round) {
    for (int hot = 0; hot < 60; ++hot) ask(fmt::format("s https://hot/{}", hot));
  }
  for (int cold = 0; cold < 1000; ++cold) ask(fmt::format("s https://cold/{}", cold));
  int had = 0;
  for (int hot = 0; hot < 60; ++hot) had += ask(fmt::format("s https://hot/{}", hot)) ? 1 : 0;
  EXPECT_EQ(had, 60);
}

TEST(MemoryStore, PurgesHardAndSoft) {
  using Kind = Purge::Kind;
  const struct {
    Purge::Kind kind;
    std::string_view what;
    std::vector<int> gone;
  } cases[] = {
      {Kind::kUrl, "https://a/1", {0, 1, 2}}, {Kind::kPrefix, "https://a/", {0, 1, 2, 3}}, {Kind::kTag, "red", {1, 4}},
      {Kind::kGroup, "https://b news", {4}},  {Kind::kAll, "", {0, 1, 2, 3, 4}},           {Kind::kTag, "blue", {}},
  };
  for (const bool is_soft : {false, true}) {
    for (const auto& each : cases) {
      MemoryStore store(kOneShard * 16);
      const EntryPtr entries[] = {
          answer("s https://a/1", {{"X-A", "1"}}, {{"Vary", "X-A"}}),
          answer("s https://a/1", {{"X-A", "2"}}, {{"Vary", "X-A"}, {"Cache-Tag", "red"}}),
          answer("t https://a/1"),
          answer("s https://a/2", {}, {{"Cache-Groups", "\"news\""}}),
          answer("s https://b/", {}, {{"Cache-Groups", "\"news\""}, {"Surrogate-Key", "red"}}),
      };
      for (const auto& entry : entries) store.insert(entry);
      EXPECT_EQ(store.purge({each.kind, std::string(each.what), is_soft}), each.gone.size());
      EXPECT_EQ(store.counts().objects, is_soft ? 5 : 5 - each.gone.size());
      EXPECT_EQ(store.bytes(), sum_of_costs(store));
      std::vector<EntryPtr> left;
      store.for_each([&](const MemoryStore::Row& row) { left.push_back(row.entry); });
      for (int i = 0; i < 5; ++i) {
        const bool is_hit = std::ranges::find(each.gone, i) != each.gone.end();
        EXPECT_EQ(std::ranges::find(left, entries[i]) != left.end(), is_soft || !is_hit) << each.what << ' ' << i;
        EXPECT_EQ(entries[i]->is_marked_stale(), is_soft && is_hit) << each.what << ' ' << i;
      }
    }
  }
}

TEST(MemoryStore, PurgesOneUrlOfOneScope) {
  MemoryStore store(kOneShard);
  const auto mine = answer("s https://a/", {{"X-A", "1"}}, {{"Vary", "X-A"}});
  const auto other = answer("t https://a/");
  store.insert(mine);
  store.insert(other);
  const auto digest = Digest::of("s https://a/");
  EXPECT_EQ(store.purge_key(digest, "s https://a/", true), 1U);
  EXPECT_TRUE(mine->is_marked_stale() && !other->is_marked_stale());
  EXPECT_EQ(store.purge_key(digest, "t https://a/", false), 0U);
  EXPECT_EQ(store.purge_key(digest, "s https://a/", false), 1U);
  EXPECT_EQ(store.purge_key(digest, "s https://a/", false), 0U);
  EXPECT_EQ(found(store, "t https://a/"), other);
  EXPECT_EQ(store.bytes(), other->cost());
}

TEST(MemoryStore, KnowsOfUrlsThatAreNotStored) {
  MemoryStore store(kOneShard);
  const auto a = Digest::of("s https://a/");
  const auto b = Digest::of("s https://b/");
  EXPECT_EQ(store.count_use(a), 1U);
  EXPECT_EQ(store.count_use(a), 2U);
  EXPECT_EQ(store.count_use(b), 1U);
  EXPECT_FALSE(store.is_private(a, 0));
  store.note_private(a, 1000);
  EXPECT_TRUE(store.is_private(a, 999));
  EXPECT_FALSE(store.is_private(a, 1000));
  EXPECT_FALSE(store.is_private(b, 0));
  EXPECT_EQ(store.count_use(a), 3U);
  // Another one in its place has nothing of it.
  store.note_private({a.high + 64, a.low}, 500);
  EXPECT_FALSE(store.is_private(a, 0));
  EXPECT_EQ(store.count_use(a), 1U);
}

TEST(MemoryStore, WhatHasGrownBeyondAShardGoesAlone) {
  MemoryStore store(kOneShard);
  for (int i = 0; i < 5; ++i) store.insert(answer(fmt::format("s https://a/{}", i)));
  const auto content = std::make_shared<Content>(std::nullopt);
  const auto entry = std::make_shared<const Entry>(meta_of("s https://b/", {}, 200, {}), content);
  store.insert(entry);
  // In use, so that eviction would have spared it.
  for (int i = 0; i < 5; ++i) found(store, "s https://b/");
  content->append(std::string(kOneShard, 'x'));
  store.settle(entry);
  EXPECT_EQ(found(store, "s https://b/"), nullptr);
  EXPECT_EQ(store.counts().objects, 5U);
  EXPECT_EQ(store.bytes(), sum_of_costs(store));
}

}  // namespace
}  // namespace rproxy::storage
