#include "storage/disk_rows.h"

#include <algorithm>
#include <set>

#include "unit/storage/disk_support.h"

namespace rproxy::storage {
namespace {

std::string url(int i) { return "s https://a/" + std::to_string(i); }

std::set<std::string> keys_of(const std::string& path) {
  std::set<std::string> keys;
  EXPECT_TRUE(for_each_on_disk(path, [&](const DiskRow& row) {
    if (!row.is_purged) keys.insert(row.head.meta.key);
  }));
  return keys;
}

TEST(DiskRows, GiveTheirContent) {
  DiskHouse house;
  const std::string content = std::string(700'000, 'x') + "end";
  house.put(stored_meta(url(1)), content);
  house.put(stored_meta(url(2)), "");
  std::string read;
  const auto visited = visit_disk(house.path(), Digest::of(url(1)), {[&](const DiskRow& row) {
                                    EXPECT_EQ(row.size(), content.size());
                                    EXPECT_GE(row.size_on_disk(), row.size());
                                    while (true) {
                                      const auto piece = row.read(read.size(), 300'000);
                                      if (!piece || piece->empty()) return piece.has_value();
                                      read += *piece;
                                    }
                                  }});
  ASSERT_TRUE(visited);
  EXPECT_TRUE(read == content);
}

TEST(DiskRows, DamagedOnesAreOdditiesAndGoIfTheyAreTheSame) {
  DiskHouse house;
  for (int i = 0; i < 3; ++i) house.put(stored_meta(url(i)), "hello");
  house.close();  // its scan would find them first
  const auto files = files_of(house.path());
  write_file(files[0], "damaged");
  std::string bytes = read_file(files[1]);
  bytes.back() ^= 1;
  write_file(files[1], bytes);
  int rows = 0;
  int bad = 0;
  std::vector<std::string> odd;
  DiskVisitor visitor{[&](const DiskRow& row) {
                        ++rows;
                        if (row.verify()) return true;
                        ++bad;
                        EXPECT_FALSE(row.read(0, 100));
                        EXPECT_TRUE(row.remove().value_or(false));
                        return true;
                      },
                      [&](const DiskOddity& oddity) {
                        odd.push_back(oddity.path);
                        EXPECT_TRUE(is_damage(oddity.error));
                        // Another one came into its place.
                        fs::rename(oddity.path, oddity.path + ".old");
                        write_file(oddity.path, "new");
                        EXPECT_FALSE(oddity.remove().value_or(true));
                      }};
  EXPECT_TRUE(visit_disk(house.path(), visitor));
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(odd, std::vector<std::string>{files[0]});
  EXPECT_EQ(read_file(files[0]), "new");
  EXPECT_FALSE(fs::exists(files[1]));
}

TEST(DiskRows, OtherDirectoriesAreNoStore) {
  const test::TemporaryDirectory directory;
  const DiskVisitor visitor{[](const DiskRow&) { return true; }};
  EXPECT_EQ(visit_disk(directory.path("none"), visitor).error().os_error, ENOENT);
  EXPECT_EQ(visit_disk(directory.write("file", "x"), visitor).error().os_error, ENOTDIR);
  EXPECT_EQ(visit_disk(directory.path(""), visitor).error().code, ErrorCode::kConfig);
  EXPECT_EQ(purge_disk(directory.path(""), {{}}, 1, {}).error().code, ErrorCode::kConfig);
  EXPECT_FALSE(fs::exists(directory.path("lock")));
}

TEST(DiskRows, ProgressGoesThroughTheFirstLevel) {
  DiskHouse house;
  for (int i = 0; i < 50; ++i) house.put(stored_meta(url(i)), "x");
  std::vector<std::size_t> seen;
  std::size_t last = 0;
  EXPECT_TRUE(visit_disk(house.path(), {[](const DiskRow&) { return true; },
                                        {},
                                        [&](std::size_t done, std::size_t all) {
                                          seen.push_back(done);
                                          last = all;
                                        }}));
  EXPECT_EQ(seen.size(), last);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(DiskRows, APurgeIsDoneWhenItReturns) {
  DiskHouse house;
  for (int i = 0; i < 10; ++i) house.put(stored_meta(url(i), 1000, {i < 4 ? "t" : "u"}), "x");
  const std::vector<Purge> tagged{{Purge::Kind::kTag, "t", false}};
  const auto held = purge_disk(house.path(), tagged, 2000, {});
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().os_error, EWOULDBLOCK);
  house.close();
  const auto purged = purge_disk(house.path(), tagged, 2000, {});
  ASSERT_TRUE(purged);
  EXPECT_EQ(purged->files, 4U);
  EXPECT_EQ(files_of(house.path()).size(), 6U);
  EXPECT_EQ(purge_disk(house.path(), {{Purge::Kind::kUrl, "https://a/7", true}}, 2000, {})->files, 1U);
  EXPECT_TRUE(for_each_on_disk(house.path(),
                               [&](const DiskRow& row) { EXPECT_EQ(row.is_stale, row.head.meta.key == url(7)); }));
  // Nothing is left for later: what is stored from then on stays.
  EXPECT_TRUE(read_file(house.path() + "/purges").empty());
  EXPECT_EQ(purge_disk(house.path(), {{Purge::Kind::kAll, "", false}}, 2000, {})->files, 6U);
  EXPECT_TRUE(keys_of(house.path()).empty());
  house.reopen();
  EXPECT_TRUE(house.put(stored_meta(url(1), 3000), "x"));
  EXPECT_TRUE(house.has(url(1)));
}

}  // namespace
}  // namespace rproxy::storage
