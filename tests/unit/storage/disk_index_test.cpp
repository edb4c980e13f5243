#include "storage/disk_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace rproxy::storage {

using namespace cache;
namespace {

DiskIndex::Item item(int number, std::uint32_t variant = 0, std::uint32_t received_s = 0) {
  DiskIndex::Item made;
  made.name = {Digest::of(fmt::format("key {}", number)), variant};
  made.bytes = 4096;
  made.received_s = received_s;
  made.useless_s = 1000;
  return made;
}

TEST(DiskIndex, FindsWhatWasPutTheNewestFirst) {
  DiskIndex index;
  index.put(item(1, 1, 10));
  index.put(item(1, 2, 30));
  index.put(item(1, 3, 20));
  index.put(item(2));
  const auto found = index.find(item(1).name.digest);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].name.variant, 2U);
  EXPECT_EQ(found[1].name.variant, 3U);
  EXPECT_EQ(found[2].name.variant, 1U);
  EXPECT_EQ(index.count(), 4U);
  EXPECT_EQ(index.bytes(), 4U * 4096);
  EXPECT_TRUE(index.contains(item(2).name));
  EXPECT_FALSE(index.contains(item(3).name.digest));
}

TEST(DiskIndex, PuttingAgainReplaces) {
  DiskIndex index;
  index.put(item(1));
  auto larger = item(1);
  larger.bytes = 8192;
  EXPECT_FALSE(index.put_if_new(larger));
  EXPECT_EQ(index.bytes(), 4096U);
  index.put(larger);
  EXPECT_EQ(index.count(), 1U);
  EXPECT_EQ(index.bytes(), 8192U);
  EXPECT_TRUE(index.erase(larger.name));
  EXPECT_FALSE(index.erase(larger.name));
  EXPECT_EQ(index.count(), 0U);
  EXPECT_EQ(index.bytes(), 0U);
}

TEST(DiskIndex, HoldsManyAndLosesNone) {
  DiskIndex index;
  for (int i = 0; i < 20'000; ++i) index.put(item(i));
  for (int i = 0; i < 20'000; i += 2) EXPECT_TRUE(index.erase(item(i).name));
  for (int i = 0; i < 20'000; ++i) EXPECT_EQ(index.contains(item(i).name), i % 2 == 1);
  for (int i = 0; i < 20'000; i += 2) index.put(item(i));
  EXPECT_EQ(index.count(), 20'000U);
}

TEST(DiskIndex, EvictsEachOnceAndThenNothing) {
  DiskIndex index;
  std::set<DiskName> names;
  for (int i = 0; i < 1000; ++i) index.put(item(i));
  while (const auto gone = index.evict(0)) EXPECT_TRUE(names.insert(gone->name).second);
  EXPECT_EQ(names.size(), 1000U);
  EXPECT_EQ(index.count(), 0U);
  EXPECT_EQ(index.bytes(), 0U);
}

TEST(DiskIndex, SparesWhatIsInUse) {
  DiskIndex index;
  for (int i = 0; i < 1000; ++i) index.put(item(i));
  for (int i = 0; i < 100; ++i) index.use(item(i).name);
  for (int i = 0; i < 500; ++i) index.evict(0);
  int spared = 0;
  for (int i = 0; i < 100; ++i) spared += index.contains(item(i).name) ? 1 : 0;
  EXPECT_EQ(spared, 100);
}

TEST(DiskIndex, UseDoesNotSpareWhatIsOfNoUse) {
  DiskIndex index;
  index.put(item(1));
  for (int i = 0; i < 3; ++i) index.use(item(1).name);
  for (int i = 2; i < 100; ++i) index.put(item(i));
  for (int i = 0; i < 99; ++i) index.evict(1000);
  EXPECT_EQ(index.count(), 0U);
}

TEST(DiskIndex, TakesFewBytesOfEachFile) {
  DiskIndex index;
  constexpr int kFiles = 300'000;
  for (int i = 0; i < kFiles; ++i) index.put(item(i));
  const double each = static_cast<double>(index.cost()) / kFiles;
  RecordProperty("bytes_per_file", std::to_string(each));
  EXPECT_LT(each, 50.0);
}

}  // namespace
}  // namespace rproxy::storage
