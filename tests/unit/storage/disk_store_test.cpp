#include "storage/disk_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "unit/storage/disk_support.h"

namespace rproxy::storage {

using namespace cache;
namespace {

const std::string kUrl = "s https://a/";

std::string url(int number) { return fmt::format("s https://a/{}", number); }

DiskOptions limits(std::uint64_t bytes, std::uint64_t files, std::uint64_t object = 1 << 30) {
  DiskOptions options;
  options.bytes_max = {bytes};
  options.files_max = files;
  options.object_max = {object};
  return options;
}

TEST(DiskStore, FindsWhatWasStored) {
  DiskHouse house;
  EXPECT_EQ(house.content(kUrl), "-");
  EXPECT_TRUE(house.put(stored_meta(kUrl), "hello"));
  const auto found = house.find(kUrl);
  ASSERT_TRUE(found);
  expect_same(found->meta, stored_meta(kUrl));
  EXPECT_FALSE(found->is_stale);
  EXPECT_TRUE(found->content->is_verified());
  EXPECT_EQ(house.content(kUrl), "hello");
  EXPECT_EQ(house.content("s https://b/"), "-");
  EXPECT_EQ(drafts_of(house.path()), 0U);
  house.finish_scan();
  EXPECT_EQ(house.content(kUrl), "hello");
  EXPECT_EQ(house.store().counts().objects, 1U);
  EXPECT_EQ(house.store().counts().bytes, 4096U);
  EXPECT_EQ(house.store().counts().writes, 1U);
  EXPECT_EQ(house.store().counts().hits, 3U);
}

TEST(DiskStore, ContentIsReadInPiecesAndByItsDescriptor) {
  DiskHouse house;
  house.put(stored_meta(kUrl), "hello, content");
  const auto content = house.find(kUrl)->content;
  EXPECT_EQ(house.read(content, 0, 5), "hello");
  EXPECT_EQ(house.read(content, 7, 100), "content");
  EXPECT_EQ(house.read(content, 14, 100), "");
  std::string bytes(content->size(), '\0');
  EXPECT_EQ(::pread(content->file().get(), bytes.data(), bytes.size(), static_cast<off_t>(content->offset())), 14);
  EXPECT_EQ(bytes, "hello, content");
}

TEST(DiskStore, WhatWasFoundIsReadWhateverBecomesOfIt) {
  DiskHouse house;
  house.put(stored_meta(kUrl), "hello");
  const auto content = house.find(kUrl)->content;
  house.put(stored_meta(kUrl, 2000), "other");
  EXPECT_EQ(house.read(content, 0, 5), "hello");
  house.store().remove(stored_meta(kUrl));
  EXPECT_EQ(house.read(content, 0, 5), "hello");
}

TEST(DiskStore, TakesThePlaceOfTheSameVariantAlone) {
  DiskHouse house;
  Meta meta = stored_meta(kUrl);
  meta.variant = {{"accept", "a", ""}};
  house.put(meta, "first");
  Meta other = stored_meta(kUrl, 2000);
  other.variant = {{"accept", "b", ""}};
  house.put(other, "second");
  house.put(meta, "third");
  EXPECT_EQ(files_of(house.path()).size(), 2U);
  EXPECT_EQ(house.content(kUrl), "second");  // the newest
  const auto found = house.find(kUrl, [](const Meta& each) { return each.variant.front().value == "a"; });
  EXPECT_EQ(house.read(found->content, 0, 100), "third");
  EXPECT_FALSE(house.find(kUrl, [](const Meta&) { return false; }));
}

TEST(DiskStore, TheNewestWinsWithinASecondToo) {
  for (const bool after_scan : {false, true}) {
    DiskHouse house;
    if (after_scan) house.finish_scan();
    for (const int at : {3, 7, 5}) {
      Meta meta = stored_meta(kUrl, at);
      meta.extras = std::to_string(at);
      house.put(meta, std::to_string(at));
    }
    EXPECT_EQ(house.content(kUrl), "7");
  }
}

TEST(DiskStore, OfOneUrlSoManyVariantsAreKept) {
  DiskHouse house;
  house.finish_scan();
  for (int i = 0; i < 140; ++i) {
    Meta meta = stored_meta(kUrl, 1000 * (1 + i));
    meta.extras = std::to_string(i);
    house.put(meta, "x");
  }
  EXPECT_EQ(house.store().counts().objects, 128U);
  EXPECT_EQ(files_of(house.path()).size(), 128U);
}

TEST(DiskStore, ARestartFindsWhatWasStored) {
  DiskHouse house;
  for (int i = 0; i < 100; ++i) house.put(stored_meta(url(i)), url(i));
  house.reopen();
  EXPECT_EQ(house.content(url(7)), url(7));
  house.finish_scan();
  EXPECT_EQ(house.store().counts().objects, 100U);
  EXPECT_EQ(house.store().counts().scanned, 100U);
  EXPECT_EQ(house.store().counts().bytes, 100U * 4096);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(house.content(url(i)), url(i));
}

TEST(DiskStore, TheFirstHitNeedsNoScan) {
  test::TemporaryDirectory directory;
  DiskOptions options;
  options.path = directory.path("cache");
  DiskHouse(options).put(stored_meta(kUrl), "hello");
  std::atomic<int> lists{0};
  std::promise<void> let;
  const auto may_go = let.get_future().share();
  const auto opener = std::this_thread::get_id();
  // The first that a thread of the store lists is listed by the scan.
  const auto hold = [&](DiskCall call) {
    if (call == DiskCall::kList && std::this_thread::get_id() != opener && lists++ == 0) may_go.wait();
    return 0;
  };
  DiskHouse other(options, {hold, {}});
  while (lists == 0) std::this_thread::yield();
  EXPECT_EQ(other.content(kUrl), "hello");
  EXPECT_FALSE(other.has("s https://b/"));
  EXPECT_TRUE(other.put(stored_meta(url(1)), "one"));
  EXPECT_EQ(other.content(url(1)), "one");
  EXPECT_FALSE(other.store().counts().scan_done);
  let.set_value();
  other.finish_scan();
  EXPECT_EQ(other.store().counts().objects, 2U);
}

TEST(DiskStore, AMissAfterTheScanCostsNoDiskAccess) {
  std::atomic<int> calls{0};
  DiskHouse house({}, {[&](DiskCall) {
                         ++calls;
                         return 0;
                       },
                       {}});
  house.put(stored_meta(kUrl), "hello");
  house.finish_scan();
  const int before = calls;
  EXPECT_FALSE(house.store().may_have(Digest::of("s https://b/")));
  EXPECT_TRUE(house.store().may_have(Digest::of(kUrl)));
  EXPECT_FALSE(house.has("s https://b/"));
  EXPECT_EQ(calls, before);
}

TEST(DiskStore, ASecondIsRefusedTheDirectory) {
  DiskHouse house;
  DiskOptions options;
  options.path = house.path();
  const auto other = DiskStore::open(options);
  ASSERT_FALSE(other);
  EXPECT_NE(describe(other.error()).find(house.path() + ": another process"), std::string::npos);
  house.close();
  EXPECT_TRUE(DiskStore::open(options));
}

TEST(DiskStore, ADirectoryThatCannotBeMadeIsNamed) {
  test::TemporaryDirectory directory;
  DiskOptions options;
  options.path = directory.write("file", "") + "/cache";
  const auto store = DiskStore::open(options);
  ASSERT_FALSE(store);
  EXPECT_NE(describe(store.error()).find(options.path), std::string::npos);
}

TEST(DiskStore, ItsDirectoriesAreItsOwn) {
  DiskHouse house;
  house.put(stored_meta(kUrl), "hello");
  EXPECT_EQ(fs::status(house.path()).permissions(), fs::perms::owner_all);
  for (const std::string& path : files_of(house.path())) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(fs::path(path).parent_path()).permissions(), fs::perms::owner_all);
  }
}

TEST(DiskStore, KeepsToItsFiles) {
  DiskHouse house(limits(1 << 30, 10));
  house.finish_scan();
  for (int i = 0; i < 50; ++i) house.put(stored_meta(url(i)), "x");
  EXPECT_EQ(house.store().counts().objects, 10U);
  EXPECT_EQ(house.store().counts().evicted, 40U);
  EXPECT_EQ(files_of(house.path()).size(), 10U);
}

TEST(DiskStore, KeepsToItsBytes) {
  DiskHouse house(limits(40'960, 1000));
  house.finish_scan();
  for (int i = 0; i < 50; ++i) house.put(stored_meta(url(i)), std::string(5000, 'x'));
  EXPECT_EQ(house.store().counts().bytes, 40'960U);
  EXPECT_EQ(files_of(house.path()).size(), 5U);
}

TEST(DiskStore, AScanKeepsToLimitsThatAreSmallerNow) {
  DiskHouse house;
  for (int i = 0; i < 50; ++i) house.put(stored_meta(url(i)), "x");
  house.close();
  DiskOptions options = limits(1 << 30, 5);
  options.path = house.path();
  DiskHouse other(options);
  other.finish_scan();
  EXPECT_EQ(other.store().counts().objects, 5U);
  EXPECT_EQ(files_of(other.path()).size(), 5U);
}

TEST(DiskStore, WhatIsInUseStays) {
  DiskHouse house(limits(1 << 30, 20));
  house.finish_scan();
  house.put(stored_meta(kUrl), "hello");
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(house.has(kUrl)) << i;
    house.put(stored_meta(url(i)), "x");
  }
}

TEST(DiskStore, WhatIsTooLargeIsGivenUp) {
  DiskHouse house(limits(1 << 30, 100, 1000));
  const auto writing = house.store().begin(stored_meta(kUrl));
  EXPECT_TRUE(writing->append(std::string(500, 'x')));
  EXPECT_FALSE(writing->append(std::string(500, 'x')));
  EXPECT_FALSE(writing->append("x"));
  EXPECT_FALSE(DiskHouse::commit(*writing));
  EXPECT_EQ(house.store().counts().dropped, 1U);
  EXPECT_FALSE(house.has(kUrl));
}

TEST(DiskStore, WhatIsNotCommittedHasNeverBeen) {
  DiskHouse house;
  for (const bool waits : {false, true}) {
    auto writing = house.store().begin(stored_meta(kUrl));
    writing->append("hello");
    if (waits) house.has(kUrl);
    writing.reset();
  }
  house.finish_scan();
  house.verify();
  EXPECT_FALSE(house.has(kUrl));
  house.close();
  EXPECT_EQ(drafts_of(house.path()), 0U);
  EXPECT_TRUE(files_of(house.path()).empty());
}

TEST(DiskStore, LeftDraftsAreRemoved) {
  DiskHouse house;
  house.close();
  write_file(house.path() + "/tmp/0", "half");
  write_file(house.path() + "/tmp/17", "half");
  house.reopen();
  EXPECT_EQ(drafts_of(house.path()), 0U);
  EXPECT_TRUE(house.put(stored_meta(kUrl), "hello"));
}

TEST(DiskStore, ForeignFilesAreLeftAlone) {
  DiskHouse house;
  house.put(stored_meta(kUrl), "hello");
  const std::string file = files_of(house.path()).front();
  const std::string foreign = fs::path(file).parent_path().string() + "/readme";
  house.close();
  const std::string misplaced = house.path() + "/00/00/" + DiskName{{~0ULL, 1}, 2}.text();
  write_file(foreign, "x");
  fs::create_directories(house.path() + "/00/00");
  write_file(misplaced, "x");
  house.reopen();
  house.finish_scan();
  EXPECT_TRUE(fs::exists(foreign));
  EXPECT_TRUE(fs::exists(misplaced));
  EXPECT_EQ(house.store().counts().objects, 1U);
}

// What is in the file instead, before and after a scan knows of it.
struct Damaged : testing::TestWithParam<bool> {
  void damage(std::string_view bytes) {
    house.close();
    write_file(file, bytes);
    house.reopen();
    if (GetParam()) house.finish_scan();
  }
  void SetUp() override {
    house.put(stored_meta(kUrl), "hello, content");
    file = files_of(house.path()).front();
    whole = read_file(file);
  }
  DiskHouse house;
  std::string file;
  std::string whole;
};
INSTANTIATE_TEST_SUITE_P(DiskStore, Damaged, testing::Bool());

TEST_P(Damaged, CutFilesAreNeverGivenAndGo) {
  for (std::size_t size = 0; size < whole.size(); ++size) {
    damage(whole.substr(0, size));
    EXPECT_FALSE(house.has(kUrl)) << size;
    house.finish_scan();
    EXPECT_FALSE(fs::exists(file)) << size;
    EXPECT_EQ(house.store().counts().damaged, 1U) << size;
    EXPECT_EQ(house.store().counts().objects, 0U) << size;
  }
}

TEST_P(Damaged, FlippedHeadsAreNeverGivenAndGo) {
  const std::size_t head = whole.size() - std::string("hello, content").size();
  for (std::size_t at = 0; at < head; ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    damage(bytes);
    const auto found = house.find(kUrl);
    const bool is_mark = at == 56;
    EXPECT_EQ(found.has_value(), is_mark) << at;
    EXPECT_EQ(fs::exists(file), is_mark) << at;
    EXPECT_TRUE(!found || found->is_stale);
  }
}

TEST_P(Damaged, FlippedContentIsNotGiven) {
  for (std::size_t at = whole.size() - 14; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    damage(bytes);
    const auto content = house.find(kUrl)->content;
    EXPECT_FALSE(content->is_verified());
    EXPECT_FALSE(house.read(content, 0, 7));
    EXPECT_FALSE(content->is_verified());
    EXPECT_FALSE(house.has(kUrl));
    EXPECT_FALSE(fs::exists(file));
  }
}

TEST_P(Damaged, AFileOfAnotherNameIsNotGiven) {
  const DiskName other{Digest::of(kUrl), 17};
  const std::string path = fs::path(file).parent_path().string() + '/' + other.text();
  house.close();
  fs::rename(file, path);
  house.reopen();
  if (GetParam()) house.finish_scan();
  EXPECT_FALSE(house.has(kUrl));
  EXPECT_FALSE(fs::exists(path));
}

TEST(DiskStore, ContentIsVerifiedOnceAfterARestart) {
  DiskHouse house;
  house.put(stored_meta(kUrl), "hello, content");
  house.reopen();
  house.finish_scan();
  const auto content = house.find(kUrl)->content;
  EXPECT_FALSE(content->is_verified());
  EXPECT_FALSE(content->is_verified(0, 4));
  EXPECT_EQ(house.read(content, 3, 6), "lo, co");
  EXPECT_TRUE(content->is_verified());
  EXPECT_TRUE(house.find(kUrl)->content->is_verified());
}

TEST(DiskStore, LargeContentIsVerifiedBlockByBlock) {
  DiskHouse house;
  const std::string text = random_text(3 * kDiskBlock + 100);
  house.put(stored_meta(kUrl), text);
  house.reopen();
  house.finish_scan();
  const auto content = house.find(kUrl)->content;
  EXPECT_EQ(house.read(content, kDiskBlock + 10, 20), text.substr(kDiskBlock + 10, 20));
  EXPECT_TRUE(content->is_verified(kDiskBlock, kDiskBlock));
  EXPECT_FALSE(content->is_verified(kDiskBlock, kDiskBlock + 1));
  EXPECT_FALSE(content->is_verified(kDiskBlock - 1, 2));
  EXPECT_EQ(house.read(content, 3 * kDiskBlock - 5, 1000), text.substr(3 * kDiskBlock - 5));
  EXPECT_FALSE(content->is_verified());
  EXPECT_EQ(house.read(content, 0, 1), text.substr(0, 1));
  EXPECT_TRUE(content->is_verified());
  EXPECT_FALSE(content->is_verified(text.size(), 1) && !content->is_verified());
}

TEST(DiskStore, DamageCostsThePartsThatHaveIt) {
  DiskHouse house;
  const std::string text = random_text(3 * kDiskBlock);
  house.put(stored_meta(kUrl), text);
  house.close();
  const std::string file = files_of(house.path()).front();
  std::string bytes = read_file(file);
  bytes[bytes.size() - 3 * 8 - kDiskBlock / 2] ^= 1;  // in the last block
  write_file(file, bytes);
  house.reopen();
  house.finish_scan();
  const auto content = house.find(kUrl)->content;
  EXPECT_EQ(house.read(content, 100, 100), text.substr(100, 100));
  EXPECT_FALSE(house.read(content, 2 * kDiskBlock, 1));
  EXPECT_FALSE(house.has(kUrl));
}

TEST(DiskStore, DamagedChecksumsAreDamage) {
  DiskHouse house;
  house.put(stored_meta(kUrl), random_text(2 * kDiskBlock));
  house.close();
  const std::string file = files_of(house.path()).front();
  std::string bytes = read_file(file);
  bytes.back() ^= 1;
  write_file(file, bytes);
  house.reopen();
  EXPECT_FALSE(house.read(house.find(kUrl)->content, 0, 1));
  EXPECT_FALSE(house.has(kUrl));
}

TEST(DiskStore, VerifyFindsDamagedContent) {
  DiskHouse house;
  for (int i = 0; i < 10; ++i) house.put(stored_meta(url(i)), "hello");
  const std::string file = files_of(house.path()).front();
  std::string bytes = read_file(file);
  bytes.back() = '!';
  write_file(file, bytes);
  const DiskVerified verified = house.verify();
  EXPECT_EQ(verified.files, 10U);
  EXPECT_EQ(verified.damaged, 1U);
  EXPECT_TRUE(verified.is_whole);
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(house.verify().damaged, 0U);
}

TEST(DiskStore, A304BringsOtherTermsForTheSameContent) {
  DiskHouse house;
  house.finish_scan();
  const Meta old = stored_meta(kUrl, 1000);
  Meta meta = stored_meta(kUrl, 5000);
  meta.fields.emplace_back("X-More", "much longer than it was before, so that all moves");
  EXPECT_FALSE(house.update(old, meta));
  house.put(old, "hello");
  EXPECT_TRUE(house.update(old, meta));
  expect_same(house.find(kUrl)->meta, meta);
  EXPECT_EQ(house.content(kUrl), "hello");
  // It is another by now.
  EXPECT_FALSE(house.update(old, stored_meta(kUrl, 9000)));
  EXPECT_EQ(house.verify().damaged, 0U);
  EXPECT_EQ(house.store().counts().objects, 1U);
}

TEST(DiskStore, RemovesOne) {
  DiskHouse house;
  house.put(stored_meta(kUrl), "hello");
  house.store().remove(stored_meta(kUrl));
  house.close();
  EXPECT_TRUE(files_of(house.path()).empty());
}

TEST(DiskStore, ToolsReadItBesideAProcess) {
  DiskHouse house;
  for (int i = 0; i < 10; ++i) house.put(stored_meta(url(i), 1000, {i < 3 ? "t" : "u"}), "hello");
  write_file(files_of(house.path()).front(), "damaged");
  std::set<std::string> keys;
  const auto visit = [&](const DiskRow& row) {
    keys.insert(row.head.meta.key);
    EXPECT_TRUE(row.verify());
    EXPECT_FALSE(row.is_purged);
    for (const std::string& file : files_of(house.path())) fs::remove(file);
  };
  EXPECT_TRUE(for_each_on_disk(house.path(), visit));
  EXPECT_EQ(keys.size(), 1U);
  const auto missing = for_each_on_disk(house.path() + "/none", visit);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().os_error, ENOENT);
}

}  // namespace
}  // namespace rproxy::storage
