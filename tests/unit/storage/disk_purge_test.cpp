// Purges of what is on the disk.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>

#include "unit/storage/disk_support.h"

namespace rproxy::storage {

using namespace cache;
namespace {

constexpr Purge::Kind kTag = Purge::Kind::kTag;

struct DiskPurging : testing::Test {
  DiskPurging() {
    house.put(stored_meta("s https://a/1", 1000, {"t"}), "one");
    house.put(stored_meta("s https://a/2", 1000, {"u"}), "two");
  }
  // Purges all of which may need, and that are on the disk, have been done.
  void settle() {
    house.finish_scan();
    while (fs::file_size(house.path() + "/purges") != 0) house.verify();
  }
  // What is done in the background may not be done yet.
  void wait_for_files(std::size_t count) {
    while (files_of(house.path()).size() != count) house.verify();
  }
  DiskHouse house;
};

TEST_F(DiskPurging, IsInForceAtOnceAndRemovesTheFiles) {
  house.store().purge({kTag, "t", false}, 2000);
  EXPECT_FALSE(house.has("s https://a/1"));
  EXPECT_TRUE(house.has("s https://a/2"));
  wait_for_files(1);
  settle();
  EXPECT_EQ(files_of(house.path()).size(), 1U);
  EXPECT_EQ(house.store().counts().purged, 1U);
}

TEST_F(DiskPurging, EachKindMatches) {
  const std::vector<Purge> purges{{Purge::Kind::kUrl, "https://a/1", false},
                                  {Purge::Kind::kPrefix, "https://a/", false},
                                  {Purge::Kind::kAll, "", false}};
  for (const Purge& purge : purges) {
    house.put(stored_meta("s https://a/1"), "one");
    EXPECT_TRUE(house.has("s https://a/1"));
    EXPECT_TRUE(house.purge(purge, 2000));
    EXPECT_FALSE(house.has("s https://a/1"));
    settle();
  }
  EXPECT_TRUE(files_of(house.path()).empty());
}

TEST_F(DiskPurging, WhatIsAskedForLaterIsNotMeant) {
  EXPECT_TRUE(house.purge({Purge::Kind::kAll, "", false}, 2000));
  EXPECT_TRUE(house.put(stored_meta("s https://a/1", 2001), "new"));
  EXPECT_EQ(house.content("s https://a/1"), "new");
  settle();
  EXPECT_EQ(house.content("s https://a/1"), "new");
}

TEST_F(DiskPurging, SoftPurgesMarkWhatIsThere) {
  EXPECT_TRUE(house.purge({kTag, "t", true}, 2000));
  EXPECT_TRUE(house.find("s https://a/1")->is_stale);
  EXPECT_FALSE(house.find("s https://a/2")->is_stale);
  settle();
  EXPECT_TRUE(house.find("s https://a/1")->is_stale);
  EXPECT_FALSE(house.find("s https://a/2")->is_stale);
  house.reopen();
  EXPECT_TRUE(house.find("s https://a/1")->is_stale);
  EXPECT_EQ(house.content("s https://a/1"), "one");
  // Validated since.
  EXPECT_TRUE(house.update(stored_meta("s https://a/1", 1000, {"t"}), stored_meta("s https://a/1", 3000, {"t"})));
  EXPECT_FALSE(house.find("s https://a/1")->is_stale);
}

TEST_F(DiskPurging, OfAKeyNeedsNoLookAtAll) {
  house.finish_scan();
  EXPECT_TRUE(house.purge_key("s https://a/1", false, 2000));
  EXPECT_FALSE(house.has("s https://a/1"));
  EXPECT_TRUE(house.has("s https://a/2"));
  wait_for_files(1);
  const auto size = fs::file_size(house.path() + "/purges");
  EXPECT_TRUE(house.purge_key("s https://a/3", false, 2000));
  EXPECT_EQ(fs::file_size(house.path() + "/purges"), size);
  house.reopen();
  EXPECT_FALSE(house.has("s https://a/1"));
  EXPECT_TRUE(house.has("s https://a/2"));
}

TEST_F(DiskPurging, ASoftOneTakesNothingFromAHardOne) {
  house.store().purge_key("s https://a/1", false, 2000);
  house.store().purge_key("s https://a/1", true, 2000);
  EXPECT_FALSE(house.has("s https://a/1"));
  house.store().purge_key("s https://a/2", true, 2000);
  EXPECT_TRUE(house.find("s https://a/2")->is_stale);
}

TEST_F(DiskPurging, WhatIsBeingWrittenIsMeantToo) {
  for (const bool is_key : {false, true}) {
    const auto writing = house.store().begin(stored_meta("s https://a/9", 1500, {"t"}));
    writing->append("before");
    if (is_key) {
      EXPECT_TRUE(house.purge_key("s https://a/9", false, 2000));
    } else {
      EXPECT_TRUE(house.purge({kTag, "t", false}, 2000));
      settle();
    }
    EXPECT_FALSE(DiskHouse::commit(*writing));
    EXPECT_FALSE(house.has("s https://a/9"));
  }
  // Of a key that no purge of before may still be about.
  const auto writing = house.store().begin(stored_meta("s https://a/8", 1500, {"u"}));
  writing->append("before");
  EXPECT_TRUE(house.purge({kTag, "u", true}, 2000));
  settle();
  EXPECT_TRUE(DiskHouse::commit(*writing));
  EXPECT_TRUE(house.find("s https://a/8")->is_stale);
}

TEST_F(DiskPurging, A304DoesNotBringBackWhatIsPurged) {
  house.store().purge({kTag, "t", false}, 2000);
  EXPECT_FALSE(house.update(stored_meta("s https://a/1", 1000, {"t"}), stored_meta("s https://a/1", 3000, {"t"})));
  EXPECT_FALSE(house.has("s https://a/1"));
}

TEST_F(DiskPurging, ManyAtOnceAreAllInForce) {
  for (int i = 0; i < 5000; ++i) house.store().purge({kTag, fmt::format("x{}", i), false}, 500);
  EXPECT_TRUE(house.purge({kTag, "t", false}, 2000));
  EXPECT_FALSE(house.has("s https://a/1"));
  settle();
  EXPECT_FALSE(house.has("s https://a/1"));
}

// A process that is killed as soon as it says that the purge is safe, before any file is removed.
TEST(DiskPurgingKilled, PurgesOutliveTheProcess) {
  for (const bool is_soft : {false, true}) {
    test::TemporaryDirectory directory;
    DiskOptions options;
    options.path = directory.path("cache");
    {
      DiskHouse house(options);
      house.put(stored_meta("s https://a/1", 1000, {"t"}), "one");
      house.put(stored_meta("s https://a/2", 1000, {"u"}), "two");
    }
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      std::atomic<bool> is_safe{false};
      const auto kill = [&](DiskCall call) {
        const bool touches = call == DiskCall::kRemove || call == DiskCall::kOpen || call == DiskCall::kList;
        if (is_safe && touches) ::raise(SIGKILL);
        return 0;
      };
      DiskHouse house(options, {kill, {}});
      house.finish_scan();
      std::promise<void> told;
      house.store().purge({kTag, "t", is_soft}, 2000, [&](const Result<void>& result) {
        is_safe = result.has_value();
        told.set_value();
      });
      told.get_future().wait();
      house.has("s https://a/2");
      ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    EXPECT_EQ(files_of(options.path).size(), 2U);
    bool is_told = false;
    EXPECT_TRUE(for_each_on_disk(options.path, [&](const DiskRow& row) {
      if (row.head.meta.key == "s https://a/1") is_told = is_soft ? row.is_stale : row.is_purged;
    }));
    EXPECT_TRUE(is_told);
    DiskHouse house(options);
    const auto found = house.find("s https://a/1");
    EXPECT_EQ(found.has_value(), is_soft);
    EXPECT_TRUE(!found || found->is_stale);
    EXPECT_TRUE(house.has("s https://a/2"));
    house.finish_scan();
    house.close();
    EXPECT_EQ(files_of(options.path).size(), is_soft ? 2U : 1U);
    EXPECT_EQ(fs::file_size(options.path + "/purges"), 0U);
  }
}

struct DiskPurgeList : testing::Test {
  DiskPurgeList() { held = layout.take(system); }
  test::TemporaryDirectory directory;
  DiskSystem system;
  DiskLayout layout{directory.path("cache")};
  Result<Fd> held;
};

TEST_F(DiskPurgeList, WhatIsTornAtItsEndIsLeftOut) {
  {
    DiskPurges purges(system, layout);
    EXPECT_TRUE(purges.load());
    EXPECT_TRUE(purges.persist({{2000, {kTag, "t", false}, false}}));
    EXPECT_TRUE(purges.persist({{3000, {Purge::Kind::kUrl, "s https://a/1", true}, true}}));
  }
  const std::string whole = read_file(layout.purges());
  const std::size_t first = 12 + 9 + 1;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_file(layout.purges(), whole.substr(0, size));
    DiskPurges purges(system, layout);
    EXPECT_TRUE(purges.load());
    EXPECT_EQ(purges.of(stored_meta("s https://a/2", 2000, {"t"})), size >= first ? Purged::kGone : Purged::kNo);
    EXPECT_EQ(purges.of(stored_meta("s https://a/1", 3000)), size == whole.size() ? Purged::kStale : Purged::kNo);
    // What follows is read all the same.
    const DiskPurge next{4000, {kTag, "n", false}, false};
    purges.add(next);
    EXPECT_TRUE(purges.persist({next}));
    DiskPurges again(system, layout);
    EXPECT_TRUE(again.load());
    EXPECT_EQ(again.of(stored_meta("s https://a/2", 4000, {"n"})), Purged::kGone) << size;
  }
}

TEST_F(DiskPurgeList, ForgetsWhatIsSettledAlone) {
  DiskPurges purges(system, layout);
  EXPECT_TRUE(purges.load());
  const auto first = purges.add({2000, {kTag, "t", false}, false});
  purges.add({2000, {kTag, "u", false}, false});
  const auto key = purges.add({2000, {Purge::Kind::kUrl, "s https://a/1", false}, true});
  purges.add({2500, {Purge::Kind::kUrl, "s https://a/1", false}, true});
  purges.settle(first.number);
  purges.settle_key("s https://a/1", key.number);
  EXPECT_EQ(purges.of(stored_meta("s https://a/2", 2000, {"t"})), Purged::kNo);
  EXPECT_EQ(purges.of(stored_meta("s https://a/2", 2000, {"u"})), Purged::kGone);
  EXPECT_EQ(purges.of(stored_meta("s https://a/1", 2500)), Purged::kGone);
  EXPECT_TRUE(purges.compact());
  DiskPurges again(system, layout);
  EXPECT_TRUE(again.load());
  EXPECT_EQ(again.of(stored_meta("s https://a/2", 2000, {"u"})), Purged::kGone);
  EXPECT_EQ(again.of(stored_meta("s https://a/1", 2500)), Purged::kGone);
}

TEST_F(DiskPurgeList, TooManyBecomeAPurgeOfAll) {
  DiskPurges purges(system, layout);
  EXPECT_TRUE(purges.load());
  for (std::size_t i = 0; i <= DiskPurges::kMost; ++i) purges.add({2000, {kTag, fmt::format("x{}", i), true}, false});
  EXPECT_EQ(purges.of(stored_meta("s https://a/1", 2000)), Purged::kGone);
  EXPECT_EQ(purges.of(stored_meta("s https://a/1", 2001)), Purged::kNo);
}

}  // namespace
}  // namespace rproxy::storage
