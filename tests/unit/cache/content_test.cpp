#include "cache/content.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <random>
#include <string>
#include <thread>

namespace rproxy::cache {
namespace {

constexpr std::uint64_t kAll = 1 << 30;

struct Counter : Content::Listener {
  void on_change() override { ++told; }
  int told = 0;
};

// A thread that sleeps until it is told.
class Waiter : public Content::Listener {
 public:
  void on_change() override {
    const std::lock_guard lock(mutex_);
    told_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return told_; });
    told_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 + (i >> 8) * 17);
  return text;
}

// What can be read without waiting.
std::string drain(Content::Reader& reader, std::uint64_t most = kAll) {
  std::string out;
  Counter ignored;
  for (;;) {
    const auto piece = reader.read(most, ignored);
    out += piece.data;
    EXPECT_LE(piece.data.size(), most);
    if (piece.is_end || piece.data.empty()) {
      reader.forget_listener();
      return out;
    }
  }
}

TEST(Content, IsReadWholeAndFromAnywhere) {
  const std::string text = pattern(20'000);
  const auto content = Content::whole(text);
  EXPECT_TRUE(content->is_complete());
  EXPECT_EQ(content->length(), text.size());
  EXPECT_EQ(content->size(), text.size());
  EXPECT_EQ(content->cost(), text.size());
  for (const std::size_t position : {0UL, 1UL, 4095UL, 4096UL, 19'999UL, 20'000UL, 30'000UL}) {
    for (const std::uint64_t most : {kAll, std::uint64_t{7}}) {
      Content::Reader reader(content, position);
      EXPECT_EQ(drain(reader, most), position < text.size() ? text.substr(position) : "") << position;
    }
  }
}

TEST(Content, ThatIsEmptyIsOverAtOnce) {
  Counter listener;
  const auto content = Content::whole("");
  Content::Reader reader(content, 0);
  const auto piece = reader.read(kAll, listener);
  EXPECT_TRUE(piece.is_end && piece.data.empty() && piece.error == nullptr);
  EXPECT_EQ(content->length(), 0U);
}

TEST(Content, ReadersFollowTheWriter) {
  const auto content = std::make_shared<Content>(std::nullopt);
  Content::Reader reader(content, 0);
  Counter listener;
  EXPECT_EQ(content->length(), std::nullopt);
  auto piece = reader.read(kAll, listener);
  EXPECT_TRUE(piece.data.empty() && !piece.is_end);
  content->append("");
  EXPECT_EQ(listener.told, 0);
  content->append("ab");
  content->append("cd");
  EXPECT_EQ(listener.told, 1) << "once for each wait";
  piece = reader.read(3, listener);
  EXPECT_EQ(piece.data, "abc");
  const char* const place = piece.data.data();
  content->append("ef");
  EXPECT_EQ(piece.data.data(), place);
  EXPECT_EQ(piece.data, "abc") << "what is written stays in place";
  EXPECT_EQ(reader.read(kAll, listener).data, "def");
  EXPECT_FALSE(reader.read(kAll, listener).is_end);
  content->finish();
  EXPECT_EQ(listener.told, 2);
  EXPECT_TRUE(reader.read(kAll, listener).is_end);
  EXPECT_EQ(content->length(), 6U);
}

TEST(Content, AReaderMayWaitForWhatIsFarAhead) {
  const auto content = std::make_shared<Content>(10);
  EXPECT_EQ(content->length(), 10U);
  Content::Reader reader(content, 4);
  Counter listener;
  EXPECT_TRUE(reader.read(kAll, listener).data.empty());
  content->append("abc");
  EXPECT_EQ(listener.told, 1);
  EXPECT_TRUE(reader.read(kAll, listener).data.empty());
  content->append("defghij");
  EXPECT_EQ(reader.read(kAll, listener).data, "efghij");
}

TEST(Content, FailureComesBehindWhatHadCome) {
  const auto content = std::make_shared<Content>(10);
  Content::Reader reads(content, 0);
  Content::Reader waits(content, 3);
  Counter listener;
  EXPECT_TRUE(waits.read(kAll, listener).data.empty());
  content->append("abc");
  EXPECT_TRUE(waits.read(kAll, listener).data.empty());
  content->fail(Error(ErrorCode::kReset, Side::kUpstream));
  EXPECT_EQ(listener.told, 2);
  EXPECT_TRUE(content->has_failed());
  EXPECT_FALSE(content->is_complete());
  auto piece = reads.read(kAll, listener);
  EXPECT_EQ(piece.data, "abc");
  EXPECT_EQ(piece.error, nullptr);
  Content::Reader late(content, 3);
  for (Content::Reader* reader : {&reads, &waits, &late}) {
    piece = reader->read(kAll, listener);
    EXPECT_TRUE(piece.data.empty() && !piece.is_end);
    ASSERT_NE(piece.error, nullptr);
    EXPECT_EQ(piece.error->code, ErrorCode::kReset);
  }
  EXPECT_EQ(listener.told, 2);
}

TEST(Content, WhoForgetsIsToldNoMore) {
  const auto content = std::make_shared<Content>(std::nullopt);
  Counter listener;
  {
    Content::Reader reader(content, 0);
    (void)reader.read(kAll, listener);
    reader.forget_listener();
    content->append("a");
    EXPECT_EQ(drain(reader), "a");
    (void)reader.read(kAll, listener);
  }
  content->append("b");
  content->pass_through(1);
  EXPECT_TRUE(content->has_room(listener)) << "nobody reads";
  Content::Reader reader(content, 2);
  content->append("cd");
  EXPECT_FALSE(content->has_room(listener));
  content->forget_writer();
  drain(reader);
  EXPECT_EQ(listener.told, 0);
}

TEST(Content, PassesThroughWhatIsTooLargeToKeep) {
  const auto content = std::make_shared<Content>(std::nullopt);
  Counter writer;
  auto slow = std::make_unique<Content::Reader>(content, 0);
  Content::Reader fast(content, 0);
  content->append(pattern(10'000));
  EXPECT_TRUE(content->has_room(writer));
  content->pass_through(5'000);
  EXPECT_FALSE(content->has_room(writer));
  EXPECT_EQ(drain(fast).size(), 10'000U);
  EXPECT_EQ(writer.told, 0) << "the slowest counts";
  Counter reader;
  EXPECT_EQ(slow->read(6'000, reader).data.size() + slow->read(6'000, reader).data.size(), 10'000U);
  EXPECT_EQ(writer.told, 1);
  EXPECT_TRUE(slow->read(kAll, reader).data.empty());
  EXPECT_TRUE(content->has_room(writer));
  content->append(pattern(6'000));
  EXPECT_FALSE(content->has_room(writer));
  drain(fast);
  slow.reset();
  EXPECT_EQ(writer.told, 2) << "nobody waits for who is gone";
}

void read_all(const std::shared_ptr<Content>& content, std::uint64_t position, unsigned seed, std::string& out,
              const Error*& error) {
  std::mt19937 random(seed);
  Content::Reader reader(content, position);
  Waiter waiter;
  for (;;) {
    const auto piece = reader.read(1 + random() % 9'000, waiter);
    out += piece.data;
    error = piece.error;
    if (piece.is_end || piece.error != nullptr) return;
    if (piece.data.empty()) waiter.wait();
  }
}

TEST(Content, ManyThreadsReadWhatOneWrites) {
  const std::string text = pattern(3'000'000);
  for (unsigned seed = 0; seed < 6; ++seed) {
    const bool is_known = seed % 2 == 0;
    const bool fails = seed % 3 == 2;
    const auto content = std::make_shared<Content>(is_known ? std::optional<std::uint64_t>(text.size()) : std::nullopt);
    std::vector<std::string> read(6);
    std::vector<const Error*> errors(6);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 6; ++i) {
      threads.emplace_back([&, i] { read_all(content, i < 3 ? 0 : i * 333'333, seed * 10 + i, read[i], errors[i]); });
    }
    std::mt19937 random(seed);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 30'000, text.size() - at);
      content->append(std::string_view(text).substr(at, size));
      at += size;
    }
    fails ? content->fail(Error(ErrorCode::kReset)) : content->finish();
    for (auto& thread : threads) thread.join();
    for (unsigned i = 0; i < 6; ++i) {
      ASSERT_TRUE(read[i] == text.substr(i < 3 ? 0 : i * 333'333)) << "seed " << seed << ", reader " << i;
      ASSERT_EQ(errors[i] != nullptr, fails);
    }
  }
}

TEST(Content, PassingThroughLosesNothingAndKeepsLittle) {
  const std::string text = pattern(6'000'000);
  constexpr std::size_t kWindow = 64 * 1024;
  // Blocks are of a mebibyte at most: one that is still read, one that is written, and what the window spans.
  constexpr std::size_t kCostMax = kWindow + 30'000 + 2 * 1024 * 1024;
  for (unsigned seed = 0; seed < 4; ++seed) {
    const auto content = std::make_shared<Content>(std::nullopt);
    std::vector<std::string> read(3);
    std::vector<const Error*> errors(3);
    std::vector<std::unique_ptr<Content::Reader>> early;
    std::mt19937 random(seed);
    Waiter writer;
    content->append(std::string_view(text).substr(0, 300'000));
    std::vector<std::thread> threads;
    Waiter begun[3];
    for (unsigned i = 0; i < 3; ++i) {
      threads.emplace_back([&, i] {
        // One of them goes away half-way.
        Content::Reader reader(content, 0);
        begun[i].on_change();
        Waiter waiter;
        std::mt19937 own(seed * 10 + i);
        for (;;) {
          const auto piece = reader.read(1 + own() % 50'000, waiter);
          read[i] += piece.data;
          if (piece.is_end || piece.error != nullptr || (i == 2 && read[i].size() > 2'000'000)) return;
          if (piece.data.empty()) waiter.wait();
        }
      });
    }
    for (auto& each : begun) each.wait();
    content->pass_through(kWindow);
    for (std::size_t at = 300'000; at < text.size();) {
      while (!content->has_room(writer)) writer.wait();
      const std::size_t size = std::min<std::size_t>(1 + random() % 30'000, text.size() - at);
      content->append(std::string_view(text).substr(at, size));
      at += size;
      ASSERT_LE(content->cost(), kCostMax);
    }
    content->finish();
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(read[0] == text) << seed;
    EXPECT_TRUE(read[1] == text) << seed;
    EXPECT_TRUE(text.starts_with(read[2])) << seed;
  }
}

TEST(Content, WhoComesTooLateForWhatPassesThroughIsToldSo) {
  for (const bool is_complete : {false, true}) {
    const auto content = std::make_shared<Content>(std::nullopt);
    Counter listener;
    Content::Reader early(content, 0);
    content->append(pattern(10'000));
    content->pass_through(5'000);
    EXPECT_EQ(drain(early).size(), 10'000U);
    content->append(pattern(4'000));
    if (is_complete) content->finish();
    Content::Reader late(content, 0);
    const auto piece = late.read(kAll, listener);
    EXPECT_TRUE(piece.data.empty() && !piece.is_end);
    ASSERT_NE(piece.error, nullptr);
    EXPECT_EQ(piece.error->code, ErrorCode::kTruncated);
    EXPECT_EQ(drain(early).size(), 4'000U);
    Counter writer;
    EXPECT_TRUE(content->has_room(writer)) << "nobody waits for who gets nothing";
  }
}

TEST(Content, APieceStaysInPlaceThoughOthersReadOn) {
  const auto content = std::make_shared<Content>(std::nullopt);
  Counter listener;
  const std::string text = pattern(200'000);
  Content::Reader early(content, 0);
  for (std::size_t at = 0; at < text.size(); at += 20'000) content->append(std::string_view(text).substr(at, 20'000));
  content->pass_through(1'000);
  content->finish();
  Content::Reader late(content, 0);
  const auto piece = late.read(10'000, listener);
  EXPECT_EQ(drain(early), text);
  EXPECT_EQ(piece.data, text.substr(0, 10'000));
  EXPECT_EQ(drain(late), text.substr(10'000));
}

TEST(Content, ThatPassesThroughToNobodyIsNotKept) {
  const auto content = std::make_shared<Content>(std::nullopt);
  Counter writer;
  content->pass_through(64 * 1024);
  const std::string piece = pattern(50'000);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(content->has_room(writer));
    content->append(piece);
    ASSERT_LE(content->cost(), 2U * 1024 * 1024);
  }
  EXPECT_EQ(content->size(), 25'000'000U);
}

std::string through_descriptor(const Content::Reader::Piece& piece) {
  std::string bytes(piece.data.size(), '\0');
  const ssize_t count = ::pread(piece.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(piece.offset));
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return bytes;
}

TEST(Content, LargeOneCanBeSentAsItIs) {
  const std::string bytes = pattern(2'500'000);
  for (const std::uint64_t first : {0, 1'000'000, 2'000'001}) {
    Content::Reader reader(Content::whole(bytes), first);
    Counter listener;
    std::uint64_t position = first;
    for (;;) {
      const auto piece = reader.read(700'001, listener);
      EXPECT_GE(piece.descriptor, 0);
      EXPECT_EQ(through_descriptor(piece), bytes.substr(position, piece.data.size()));
      position += piece.data.size();
      if (piece.is_end) break;
    }
    EXPECT_EQ(position, bytes.size());
  }
  Counter listener;
  Content::Reader small(Content::whole("small"), 0);
  EXPECT_LT(small.read(kAll, listener).descriptor, 0);
}

TEST(Content, IsWholeThoughTheSystemHasNoMoreToSendFrom) {
  const std::string bytes = pattern(2'500'000);
  const auto content = std::make_shared<Content>(bytes.size());
  content->append(std::string_view(bytes).substr(0, 100'000));
  Counter listener;
  Content::Reader reader(content, 0);
  const auto offset = reader.read(kAll, listener).offset;

  // A refusal that can be had at will.
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{offset + 150'000, limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  content->append(std::string_view(bytes).substr(100'000));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  content->finish();

  EXPECT_EQ(content->cost(), bytes.size());
  Content::Reader whole(content, 0);
  EXPECT_EQ(drain(whole), bytes);
}

}  // namespace
}  // namespace rproxy::cache
