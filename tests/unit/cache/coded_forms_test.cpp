#include "cache/coded_forms.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "codec/decoders.h"

namespace rproxy::cache {
namespace {

using http::Coding;

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

struct Counter : Content::Listener {
  void on_change() override { ++told; }
  int told = 0;
};

std::string words(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "word " + std::to_string(i * i % 9973) + " and ";
  text.resize(size);
  return text;
}

codec::EncoderOptions in(Coding coding, std::optional<int> level = {}) {
  codec::EncoderOptions options;
  options.coding = coding;
  options.level = level;
  return options;
}

// As much of it as can be decoded.
std::string decode(Coding coding, std::string_view coded, bool is_whole) {
  codec::Decoders decoders;
  codec::DecoderOptions options;
  options.coding = coding;
  options.expansion.ratio_max = 0;
  auto decoder = decoders.take(options).value();
  std::string out;
  std::array<char, 4096> room{};
  for (;;) {
    const auto progress = decoder->decode(coded, room, is_whole);
    EXPECT_TRUE(progress);
    if (!progress) return out;
    coded.remove_prefix(progress->consumed);
    out.append(room.data(), progress->produced);
    if (progress->done || (coded.empty() && progress->produced < room.size())) return out;
  }
}

// What is there of a form, without coding on.
std::string bytes_of(const CodedForm& form) {
  Content::Reader reader(form.content(), 0);
  Counter ignored;
  std::string out;
  for (;;) {
    const auto piece = reader.read(kAll, ignored);
    out += piece.data;
    if (piece.is_end || piece.data.empty()) break;
  }
  reader.forget_listener();
  return out;
}

void finish(CodedForm& form) {
  while (form.code_on().has_gone_on) {
  }
}

TEST(CodedForms, AreMadeOnceForAllWhoAsk) {
  const std::string text = words(300'000);
  const auto content = Content::whole(text);
  for (const Coding coding : {Coding::kGzip, Coding::kZstd, Coding::kBrotli, Coding::kDeflate}) {
    const auto form = content->forms().find(content, in(coding));
    ASSERT_NE(form, nullptr);
    EXPECT_EQ(content->forms().find(content, in(coding)), form);
    finish(*form);
    ASSERT_TRUE(form->content()->is_complete());
    EXPECT_EQ(decode(coding, bytes_of(*form), true), text);
    EXPECT_FALSE(form->code_on().has_gone_on);
  }
  EXPECT_GT(content->cost(), text.size());
}

TEST(CodedForms, FollowAContentThatComes) {
  const std::string text = words(100'000);
  const auto content = std::make_shared<Content>(text.size());
  content->append(std::string_view(text).substr(0, 30'000));
  const auto form = content->forms().find(content, in(Coding::kGzip));
  finish(*form);
  EXPECT_EQ(decode(Coding::kGzip, bytes_of(*form), false), text.substr(0, 30'000));

  Counter reader;
  Content::Reader waiting(form->content(), form->content()->size());
  EXPECT_TRUE(waiting.read(kAll, reader).data.empty());
  content->append(std::string_view(text).substr(30'000));
  EXPECT_EQ(reader.told, 1);  // it is to code on
  content->finish();
  finish(*form);
  EXPECT_EQ(decode(Coding::kGzip, bytes_of(*form), true), text);
  waiting.forget_listener();
}

TEST(CodedForms, CountWhatTheyTakeWhileTheyAreMade) {
  const auto content = std::make_shared<Content>(std::nullopt);
  content->append(words(100'000));
  const auto memory = std::make_shared<codec::Tally>();
  const auto form = content->forms().find(content, in(Coding::kZstd), memory);
  finish(*form);
  EXPECT_GT(memory->bytes(), 100'000);
  const std::size_t one = memory->bytes();
  auto other = content->forms().find(content, in(Coding::kGzip), memory);
  finish(*other);
  EXPECT_GT(memory->bytes(), one);
  content->forms().leave(std::move(other));
  EXPECT_EQ(memory->bytes(), one);
  content->finish();
  finish(*form);
  EXPECT_TRUE(form->content()->is_complete());
  EXPECT_EQ(memory->bytes(), 0);
}

TEST(CodedForms, FailWithTheirContent) {
  const auto content = std::make_shared<Content>(1000);
  const auto form = content->forms().find(content, in(Coding::kZstd));
  content->append("some");
  content->fail(Error(ErrorCode::kReset, Side::kUpstream));
  finish(*form);
  EXPECT_TRUE(form->content()->has_failed());
  const auto other = content->forms().find(content, in(Coding::kZstd));
  EXPECT_NE(other, form);
  content->forms().leave(other);
}

TEST(CodedForms, ThatNobodyReadsToTheirEndGo) {
  const auto content = Content::whole(words(300'000));
  const std::size_t before = content->cost();
  auto form = content->forms().find(content, in(Coding::kGzip));
  content->forms().find(content, in(Coding::kGzip));
  form->code_on();
  content->forms().leave(form);
  EXPECT_EQ(content->forms().find(content, in(Coding::kGzip)), form);
  content->forms().leave(form);
  content->forms().leave(form);
  const std::weak_ptr<CodedForm> gone = form;
  form.reset();
  EXPECT_TRUE(gone.expired());
  EXPECT_EQ(content->cost(), before);

  form = content->forms().find(content, in(Coding::kGzip));
  finish(*form);
  content->forms().leave(form);
  EXPECT_EQ(content->forms().find(content, in(Coding::kGzip)), form);
}

TEST(CodedForms, MakeWayForSmallerOnes) {
  const auto content = Content::whole(words(300'000));
  const auto fast = content->forms().find(content, in(Coding::kZstd, 1));
  finish(*fast);
  const auto best = std::make_shared<CodedForm>(content, in(Coding::kZstd, 19));
  finish(*best);
  ASSERT_LT(best->content()->size(), fast->content()->size());
  content->forms().replace(best);
  EXPECT_EQ(content->forms().find(content, in(Coding::kZstd)), best);
  content->forms().replace(fast);
  EXPECT_EQ(content->forms().find(content, in(Coding::kZstd)), best);
}

TEST(CodedForms, ManyThreadsCodeOneTogether) {
  const std::string text = words(2'000'000);
  const auto content = std::make_shared<Content>(text.size());
  std::vector<std::string> got(4);
  std::vector<std::thread> threads;
  for (std::string& out : got) {
    threads.emplace_back([&out, &content] {
      const auto form = content->forms().find(content, in(Coding::kGzip, 1));
      Content::Reader reader(form->content(), 0);
      Counter ignored;
      for (;;) {
        const auto piece = reader.read(kAll, ignored);
        out += piece.data;
        if (piece.is_end || piece.error != nullptr) break;
        if (piece.data.empty() && !form->code_on().has_gone_on) std::this_thread::yield();
      }
      reader.forget_listener();
      content->forms().leave(form);
    });
  }
  for (std::size_t at = 0; at < text.size(); at += 50'000) content->append(std::string_view(text).substr(at, 50'000));
  content->finish();
  for (auto& thread : threads) thread.join();
  for (const std::string& out : got) {
    EXPECT_EQ(out, got.front());
  }
  EXPECT_EQ(decode(Coding::kGzip, got.front(), true), text);
}

}  // namespace
}  // namespace rproxy::cache
