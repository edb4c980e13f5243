// Flights as a MemoryStore has them, and all of it by many threads at once.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "storage/memory_store.h"
#include "unit/cache/heads.h"

namespace rproxy::storage {

using namespace cache;
namespace {

constexpr std::string_view kUrl = "s https://a/";
constexpr std::uint64_t kOneShard = 8 * 1024 * 1024;

MemoryStore::Joined join(MemoryStore& store, const Lines& lines = {}, std::string_view range = {},
                         const EntryPtr& seen = nullptr, std::string_view extras = {}) {
  const Key key = key_of(kUrl, extras);
  const auto request = fields_of(lines);
  Wanted wanted{key, request, std::nullopt};
  if (!range.empty()) wanted.range = http::read_single_range(range);
  return store.join(wanted, seen);
}

TEST(Flights, OneLeadsAndTheOthersJoin) {
  MemoryStore store(kOneShard);
  const auto first = join(store);
  const auto second = join(store);
  EXPECT_TRUE(first.leads);
  EXPECT_FALSE(second.leads);
  EXPECT_EQ(first.flight, second.flight);
  EXPECT_EQ(first.flight->digest(), Digest::of(kUrl));
  store.close(*first.flight);
  const auto third = join(store);
  EXPECT_TRUE(third.leads);
  EXPECT_NE(third.flight, first.flight);
  // One that is closed already closes no other.
  store.close(*first.flight);
  EXPECT_FALSE(join(store).leads);
  store.close(*third.flight);
  store.close(*third.flight);
}

TEST(Flights, AreOfWhatTheNewestAnswerVariesBy) {
  MemoryStore store(kOneShard);
  EXPECT_TRUE(join(store, {{"Accept-Language", "de"}}).leads);
  EXPECT_FALSE(join(store, {{"Accept-Language", "en"}}).leads) << "nothing is known yet";
  const auto german = entry_of(meta_of(kUrl, {{"Accept-Language", "de"}}, 200, {{"Vary", "Accept-Language"}}));
  store.insert(german);
  EXPECT_TRUE(join(store, {{"Accept-Language", "en"}}).leads);
  EXPECT_FALSE(join(store, {{"Accept-Language", "EN"}}).leads);
  EXPECT_TRUE(join(store, {{"Accept-Language", "fr"}}).leads);
  EXPECT_EQ(join(store, {{"Accept-Language", "de"}}).other, german);
  EXPECT_TRUE(join(store, {{"Accept-Language", "de"}}, {}, german).leads) << "what is validated";
}

TEST(Flights, AreOfOneRangeAndOneSetOfExtras) {
  MemoryStore store(kOneShard);
  EXPECT_TRUE(join(store).leads);
  EXPECT_TRUE(join(store, {}, "bytes=0-4").leads);
  EXPECT_TRUE(join(store, {}, "bytes=0-").leads);
  EXPECT_TRUE(join(store, {}, "bytes=-4").leads);
  EXPECT_FALSE(join(store, {}, "bytes=0-4").leads);
  EXPECT_TRUE(join(store, {}, {}, nullptr, " x:1").leads);
  EXPECT_FALSE(join(store, {}, {}, nullptr, " x:1").leads);
}

TEST(Flights, GiveWhatCameMeanwhile) {
  MemoryStore store(kOneShard);
  const auto old = entry_of(meta_of(kUrl, {}, 200, {}));
  const auto newer = entry_of(meta_of(kUrl, {}, 200, {}));
  store.insert(old);
  EXPECT_EQ(join(store).other, old);
  const auto leads = join(store, {}, {}, old);
  EXPECT_TRUE(leads.leads && leads.other == nullptr);
  store.insert(newer, old);
  const auto late = join(store, {}, {}, old);
  EXPECT_EQ(late.other, newer);
  EXPECT_EQ(late.flight, nullptr);
  EXPECT_FALSE(late.leads);
}

// What was asked for before a purge is nothing for those who ask after it.
TEST(Flights, OutliveWhatIsRemovedButNobodyJoinsThemAfterAPurge) {
  MemoryStore store(kOneShard);
  const auto old = entry_of(meta_of(kUrl, {}, 200, {}));
  store.insert(old);
  const auto leads = join(store, {}, {}, old);
  store.remove(old);
  EXPECT_EQ(join(store).flight, leads.flight);
  store.purge({Purge::Kind::kAll, "", false});
  EXPECT_FALSE(leads.flight->is_outdated());
  const auto second = join(store);
  EXPECT_TRUE(second.leads);
  store.purge_key(Digest::of(kUrl), kUrl, false);
  EXPECT_TRUE(second.flight->is_outdated());
  EXPECT_FALSE(store.insert(old, nullptr, second.flight.get()));
  EXPECT_TRUE(join(store).leads);
  store.close(*leads.flight);
  EXPECT_FALSE(join(store).leads);
}

struct Passenger : Flight::Listener {
  void on_settled() override { told.store(true); }
  std::atomic<bool> told{false};
};

// Of each URL and version one thread fetches; all others get what it brings.
TEST(Flights, ManyThreadsFetchEachOnce) {
  MemoryStore store(kOneShard * 4);
  constexpr int kUrls = 50;
  std::array<std::atomic<int>, kUrls> fetched{};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kUrls; ++i) {
        const auto url = fmt::format("s https://a/{}", i);
        const Key key = key_of(url);
        const http::Fields none;
        const Wanted wanted{key, none, std::nullopt};
        EntryPtr got = store.find(wanted);
        if (got == nullptr) {
          auto joined = store.join(wanted, nullptr);
          if (joined.leads) {
            ++fetched[static_cast<std::size_t>(i)];
            got = entry_of(meta_of(url, {}, 200, {}), url);
            store.insert(got);
            store.close(*joined.flight);
            joined.flight->settle(Flight::Outcome::kEntry, got);
          } else if (joined.other != nullptr) {
            got = joined.other;
          } else {
            Passenger passenger;
            while (joined.flight->listen(passenger) && !passenger.told) std::this_thread::yield();
            got = joined.flight->entry();
          }
        }
        if (got == nullptr || got->meta().key != url) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  for (int i = 0; i < kUrls; ++i) EXPECT_EQ(fetched[static_cast<std::size_t>(i)], 1) << i;
}

TEST(MemoryStoreThreads, DoEverythingAtOnce) {
  MemoryStore store(kOneShard * 2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      EntryPtr last;
      for (int i = 0; i < 3000; ++i) {
        const auto number = random() % 200;
        const auto url = fmt::format("s https://a/{}", number);
        const auto language = random() % 2 == 0 ? "de" : "en";
        const Key key = key_of(url);
        const auto request = fields_of({{"Accept-Language", language}});
        const Wanted wanted{key, request, std::nullopt};
        switch (random() % 12) {
          case 0:
            store.purge({Purge::Kind::kTag, std::to_string(random() % 50), random() % 2 == 0});
            break;
          case 1:
            store.purge_key(key.digest, key.text, random() % 2 == 0);
            break;
          case 2:
            if (last != nullptr) store.remove(last);
            break;
          case 3:
            store.for_each([&](const MemoryStore::Row& row) { wrong += row.entry->meta().status != 200; });
            break;
          case 4:
            if (store.bytes() > store.bytes_max()) ++wrong;
            break;
          case 5: {
            const auto joined = store.join(wanted, last);
            if (!joined.leads) break;
            joined.flight->settle(Flight::Outcome::kAbandoned);
            store.close(*joined.flight);
            break;
          }
          case 6:
            store.note_private(key.digest, static_cast<std::int64_t>(random()));
            (void)store.is_private(key.digest, 5);
            (void)store.count_use(key.digest);
            break;
          case 7:
          case 8: {
            auto content = std::make_shared<Content>(std::nullopt);
            const std::string tag = std::to_string(number % 50);
            last = std::make_shared<const Entry>(
                meta_of(url, {{"Accept-Language", language}}, 200, {{"Vary", "Accept-Language"}, {"Cache-Tag", tag}}),
                content);
            store.insert(last);
            content->append(std::string(random() % 200'000, 'x'));
            random() % 4 != 0 ? content->finish() : content->fail(Error());
            store.settle(last);
            break;
          }
          default:
            if (const auto got = store.find(wanted)) {
              if (got->meta().key != url || got->meta().variant[0].value != language) ++wrong;
              (void)got->age(0);
              (void)got->is_marked_stale();
            }
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  std::uint64_t sum = 0;
  std::uint64_t count = 0;
  store.for_each([&](const MemoryStore::Row& row) {
    sum += row.entry->cost();
    ++count;
  });
  EXPECT_EQ(store.bytes(), sum);
  EXPECT_EQ(store.counts().objects, count);
  EXPECT_EQ(store.purge({Purge::Kind::kAll, "", false}), count);
  EXPECT_EQ(store.bytes(), 0U);
}

TEST(Flights, AreOfOneKeyThoughDigestsCollide) {
  MemoryStore store(kOneShard);
  const http::Fields none;
  const Digest digest{1, 2};
  const Key mine{"s https://a/1", {}, digest};
  const Key other{"s https://a/2", {}, digest};
  const auto first = store.join({mine, none, std::nullopt}, nullptr);
  const auto second = store.join({other, none, std::nullopt}, nullptr);
  EXPECT_TRUE(first.leads && second.leads);
  EXPECT_NE(first.flight, second.flight);
  EXPECT_EQ(store.join({mine, none, std::nullopt}, nullptr).flight, first.flight);
}

}  // namespace
}  // namespace rproxy::storage
