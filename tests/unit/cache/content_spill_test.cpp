// Content that goes into a file as it comes.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cache/content.h"

namespace rproxy::cache {
namespace {

struct Counter : Content::Listener {
  void on_change() override { ++told; }
  int told = 0;
};

class FakeFile final : public FileContent {
 public:
  int descriptor() const override { return -1; }
  std::uint64_t offset() const override { return 0; }
  bool is_verified(std::uint64_t, std::uint64_t) const override { return true; }
  void read(std::uint64_t position, std::size_t size, OnRead done) override { done(bytes.substr(position, size)); }
  std::string bytes;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 + (i >> 8) * 17);
  return text;
}

// Reads on as far as it goes, from memory and from the file.
class Client {
 public:
  explicit Client(const std::shared_ptr<Content>& content, std::uint64_t from = 0) : reader_(content, from) {}

  // A piece; false: nothing now.
  bool read(std::uint64_t most) {
    const auto piece = reader_.read(most, told_);
    has_ended = piece.is_end;
    has_failed = piece.error != nullptr;
    if (piece.in_file > 0) {
      EXPECT_TRUE(piece.data.empty());
      reader_.content()->file()->read(piece.position, piece.in_file,
                                      [&](Result<std::string> bytes) { got += bytes.value(); });
      from_file += piece.in_file;
      return true;
    }
    got += piece.data;
    return !piece.data.empty();
  }
  void read_all() {
    while (!has_ended && read(1 << 20)) {
    }
    reader_.forget_listener();
  }

  std::string got;
  std::uint64_t from_file = 0;
  bool has_ended = false;
  bool has_failed = false;

 private:
  Counter told_;
  Content::Reader reader_;
};

struct Spilling : testing::Test {
  std::shared_ptr<FakeFile> file = std::make_shared<FakeFile>();
  std::shared_ptr<Content> content = std::make_shared<Content>(std::nullopt);
  std::string all = pattern(300'000);
  Counter writer;

  void write(std::size_t end) {
    file->bytes = all.substr(0, end);
    content->set_written(file, end);
  }
};

TEST_F(Spilling, WhatIsWrittenLeavesMemory) {
  content->spill(65'536);
  content->append(std::string_view(all).substr(0, 100'000));
  EXPECT_FALSE(content->has_room(writer));
  write(50'000);
  EXPECT_EQ(writer.told, 1);
  content->append(std::string_view(all).substr(100'000));
  write(300'000);
  content->finish();
  write(300'000);
  EXPECT_EQ(content->cost(), Content::kFileCost);
  Client client(content);
  client.read_all();
  EXPECT_EQ(client.got, all);
  EXPECT_EQ(client.from_file, 300'000U);
  EXPECT_TRUE(client.has_ended);
}

TEST_F(Spilling, WhatIsWrittenBeforeTheEndIsKnownLeavesMemoryAtTheEnd) {
  content->spill(65'536);
  const Client slow(content);
  content->append(all);
  write(300'000);
  content->finish();
  EXPECT_EQ(content->cost(), Content::kFileCost);
}

TEST_F(Spilling, WhatAReaderWasGivenStaysInItsPlace) {
  content->spill(1 << 20);
  content->append(std::string_view(all).substr(0, 4096));
  content->append(std::string_view(all).substr(4096));
  Counter told;
  Content::Reader reader(content, 0);
  const auto piece = reader.read(100, told);
  ASSERT_EQ(piece.data, std::string_view(all).substr(0, 100));
  write(300'000);
  content->finish();
  write(300'000);
  EXPECT_EQ(piece.data, std::string_view(all).substr(0, 100));
  EXPECT_EQ(reader.read(100, told).in_file, 100U);
}

TEST_F(Spilling, WhatStaysInMemoryHoldsNoFile) {
  content->append(all);
  write(300'000);
  content->finish();
  EXPECT_EQ(content->file(), nullptr);
  EXPECT_EQ(content->cost(), 300'000U);
}

TEST_F(Spilling, WhereTheFileFailsReadersGoOn) {
  content->spill(65'536);
  Client slow(content);
  content->append(std::string_view(all).substr(0, 100'000));
  write(60'000);
  content->append(std::string_view(all).substr(100'000, 50'000));
  content->stop_spilling();
  EXPECT_FALSE(content->has_room(writer));
  slow.read_all();
  EXPECT_EQ(slow.got, all.substr(0, 150'000));
  EXPECT_TRUE(content->has_room(writer));
  content->append(std::string_view(all).substr(150'000));
  content->finish();
  slow.read_all();
  EXPECT_EQ(slow.got, all);
  EXPECT_TRUE(slow.has_ended);
  Client late(content);
  late.read_all();
  EXPECT_TRUE(late.has_failed);
}

TEST_F(Spilling, AFailureCostsWhatDidNotCome) {
  content->spill(65'536);
  content->append(std::string_view(all).substr(0, 100'000));
  write(100'000);
  content->fail(Error(ErrorCode::kTruncated, Side::kUpstream));
  Client client(content);
  client.read_all();
  EXPECT_EQ(client.got, all.substr(0, 100'000));
  EXPECT_TRUE(client.has_failed);
}

TEST(InFile, IsCompleteAndReadFromTheFileAlone) {
  const auto file = std::make_shared<FakeFile>();
  file->bytes = pattern(1000);
  const auto content = Content::in_file(file, 1000);
  EXPECT_TRUE(content->is_complete());
  EXPECT_EQ(content->length(), 1000U);
  EXPECT_EQ(content->cost(), Content::kFileCost);
  Client client(content, 900);
  EXPECT_TRUE(client.read(40));
  EXPECT_FALSE(client.has_ended);
  client.read_all();
  EXPECT_EQ(client.got, file->bytes.substr(900));
  EXPECT_TRUE(client.has_ended);
}

TEST(InFile, ReadersMayTakeLessThanThereIs) {
  const auto file = std::make_shared<FakeFile>();
  file->bytes = pattern(1000);
  Counter told;
  Content::Reader reader(Content::in_file(file, 1000), 0);
  EXPECT_EQ(reader.read(1000, told).in_file, 1000U);
  reader.took(300);
  const auto piece = reader.read(1000, told);
  EXPECT_EQ(piece.position, 300U);
  EXPECT_EQ(piece.in_file, 700U);
}

// Whatever comes in which order: nobody gets another byte than was appended, and memory holds what it may.
TEST(SpillingProperty, NoByteIsLostOrWrong) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto upto = [&](std::uint64_t most) { return random() % (most + 1); };
    const std::string all = pattern(upto(400'000));
    const auto file = std::make_shared<FakeFile>();
    const auto content =
        std::make_shared<Content>(random() % 2 == 0 ? std::optional<std::uint64_t>(all.size()) : std::nullopt);
    std::vector<std::unique_ptr<Client>> clients;
    std::size_t appended = 0;
    bool has_stopped = false;
    Counter writer;
    const auto spills_from = upto(all.size());
    while (appended < all.size()) {
      if (appended >= spills_from && !has_stopped) content->spill(50'000);
      if (random() % 20 == 0) clients.push_back(std::make_unique<Client>(content));
      for (const auto& client : clients) {
        if (random() % 3 == 0) client->read(upto(20'000) + 1);
      }
      if (random() % 3 == 0 && !has_stopped) {
        const std::size_t end = file->bytes.size() + upto(appended - file->bytes.size());
        file->bytes = all.substr(0, end);
        content->set_written(file, end);
      }
      if (random() % 200 == 0 && appended >= spills_from) has_stopped = true;
      if (has_stopped) content->stop_spilling();
      if (!content->has_room(writer)) {
        content->forget_writer();
        if (has_stopped) {
          for (const auto& client : clients) client->read_all();
        }
        continue;
      }
      const std::size_t count = std::min<std::size_t>(upto(30'000), all.size() - appended);
      content->append(std::string_view(all).substr(appended, count));
      appended += count;
    }
    content->finish();
    for (const auto& client : clients) {
      client->read_all();
      if (!client->has_failed) {
        EXPECT_TRUE(client->has_ended);
        EXPECT_EQ(client->got, all);
      } else {
        EXPECT_TRUE(has_stopped);
        EXPECT_EQ(client->got, all.substr(0, client->got.size()));
      }
    }
  }
}

}  // namespace
}  // namespace rproxy::cache
