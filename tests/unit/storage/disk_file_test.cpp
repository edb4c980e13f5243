#include "storage/disk_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cache/meta_codec.h"
#include "storage/disk_draft.h"
#include "unit/storage/disk_support.h"

namespace rproxy::storage {

using namespace cache;
namespace {

constexpr std::size_t kMarkAt = 56;

struct DiskFile : testing::Test {
  DiskFile() { EXPECT_TRUE(layout.take(system)); }

  // The bytes of a file of that content.
  std::string file_of(const Meta& meta, std::string_view content) {
    auto draft = DiskDraft::create(system, layout, meta, *encode(meta));
    EXPECT_TRUE(draft->append(content));
    const std::string path = layout.file(DiskName::of(meta));
    EXPECT_TRUE(draft->place(path));
    return read_file(path);
  }
  // As a file of these bytes is read.
  Result<DiskHead> head_of(std::string_view bytes) {
    const auto file = system.open_to_read(directory.write("file", bytes));
    return read_head(system, *file);
  }
  // What is found of a file: 'h' that its head is damaged, 'c' that its content is, '.' neither.
  char damage_of(std::string_view bytes) {
    const auto file = system.open_to_read(directory.write("file", bytes));
    const auto head = read_head(system, *file);
    if (!head) return is_damage(head.error()) ? 'h' : '?';
    return verify_content(system, *file, head->header) ? '.' : 'c';
  }

  test::TemporaryDirectory directory;
  DiskSystem system;
  DiskLayout layout{directory.path("cache")};
  const std::string content = "hello, content";
};

TEST_F(DiskFile, HeadAndContentComeBack) {
  const std::string bytes = file_of(full_meta(), content);
  const auto head = head_of(bytes);
  ASSERT_TRUE(head);
  expect_same(head->meta, full_meta());
  EXPECT_EQ(bytes.substr(head->header.content_offset()), content);
  EXPECT_EQ(head->header.content_size, content.size());
  EXPECT_EQ(head->header.received_ms, full_meta().received_ms);
  EXPECT_EQ(head->header.useless_ms, full_meta().received_ms + (3600 - 17 + 40) * 1000);
  EXPECT_FALSE(head->header.is_stale);
  EXPECT_EQ(damage_of(bytes), '.');
}

TEST_F(DiskFile, ContentMayBeEmpty) { EXPECT_EQ(damage_of(file_of(full_meta(), "")), '.'); }

TEST_F(DiskFile, HeadsLargerThanTheFirstReadComeBack) {
  Meta meta = full_meta();
  meta.fields.emplace_back("Large", std::string(100'000, 'x'));
  const std::string bytes = file_of(meta, content);
  EXPECT_EQ(damage_of(bytes), '.');
  expect_same(head_of(bytes)->meta, meta);
}

TEST_F(DiskFile, CutAnywhereItIsDamaged) {
  const std::string bytes = file_of(full_meta(), content);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_EQ(damage_of(bytes.substr(0, size)), 'h') << size;
  EXPECT_EQ(damage_of(bytes + 'x'), 'h');
}

TEST_F(DiskFile, ZerosInsteadOfBlocksThatNeverCameAreDamage) {
  std::string bytes = file_of(full_meta(), content);
  EXPECT_EQ(damage_of(std::string(bytes.size(), '\0')), 'h');
  const std::size_t end = bytes.size() - content.size();
  EXPECT_EQ(damage_of(bytes.substr(0, end) + std::string(content.size(), '\0')), 'c');
}

TEST_F(DiskFile, EachFlippedBitIsDamageButTheMarks) {
  const std::string bytes = file_of(full_meta(), content);
  const std::size_t head_size = bytes.size() - content.size();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int mask : {1, 0x80, 0xff}) {
      std::string other = bytes;
      other[at] = static_cast<char>(other[at] ^ mask);
      const char expected = at == kMarkAt ? '.' : at < head_size ? 'h' : 'c';
      EXPECT_EQ(damage_of(other), expected) << at;
    }
  }
}

TEST_F(DiskFile, MarkingItStaleChangesNothingElse) {
  file_of(full_meta(), content);
  const std::string path = layout.file(DiskName::of(full_meta()));
  EXPECT_TRUE(mark_stale(system, *system.open_to_change(path)));
  const std::string bytes = read_file(path);
  EXPECT_EQ(damage_of(bytes), '.');
  EXPECT_TRUE(head_of(bytes)->header.is_stale);
}

TEST_F(DiskFile, SizesAreNotBelieved) {
  const std::string bytes = file_of(full_meta(), content);
  for (const std::size_t at : {12, 16}) {
    std::string other = bytes;
    other.replace(at, 4, "\xff\xff\xff\xff");
    EXPECT_EQ(damage_of(other), 'h');
  }
}

TEST_F(DiskFile, DraftsThatAreNotPlacedAreGone) {
  const Meta meta = full_meta();
  {
    auto draft = DiskDraft::create(system, layout, meta, *encode(meta));
    EXPECT_TRUE(draft->append("half"));
    EXPECT_EQ(drafts_of(layout.path()), 1U);
  }
  EXPECT_EQ(drafts_of(layout.path()), 0U);
  EXPECT_TRUE(files_of(layout.path()).empty());
}

TEST_F(DiskFile, CopiedContentKeepsItsChecksum) {
  file_of(full_meta(), content);
  const std::string path = layout.file(DiskName::of(full_meta()));
  const auto file = system.open_to_read(path);
  const auto head = read_head(system, *file);
  Meta meta = full_meta();
  meta.fields.emplace_back("X-More", "of a 304");
  auto draft = DiskDraft::create(system, layout, meta, *encode(meta));
  EXPECT_TRUE(draft->copy(*file, head->header));
  EXPECT_TRUE(draft->place(path));
  const std::string bytes = read_file(path);
  EXPECT_EQ(damage_of(bytes), '.');
  EXPECT_TRUE(bytes.ends_with(content));
  expect_same(head_of(bytes)->meta, meta);
}

TEST(DiskName, TellsVariantsApartAndComesBack) {
  Meta meta = stored_meta("s https://a/");
  const DiskName plain = DiskName::of(meta);
  EXPECT_EQ(DiskName::parse(plain.text()), plain);
  EXPECT_EQ(plain.text().size(), 41U);
  std::vector<DiskName> names{plain};
  meta.extras = " cookie:a";
  names.push_back(DiskName::of(meta));
  meta.variant = {{"accept", "b", ""}};
  names.push_back(DiskName::of(meta));
  meta.variant = {{"accept", "c", ""}};
  names.push_back(DiskName::of(meta));
  meta.part = http::ContentRange{{0, 1}, 10};
  names.push_back(DiskName::of(meta));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  for (const std::string_view text : {"", "x", "00000000000000000000000000000000.0000000g", "tmp", "lock"}) {
    EXPECT_FALSE(DiskName::parse(text));
  }
}

}  // namespace
}  // namespace rproxy::storage
