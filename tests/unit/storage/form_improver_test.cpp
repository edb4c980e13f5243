#include "storage/form_improver.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace rproxy::storage {
namespace {

using http::Coding;

class Improved : public FormImprover::Listener {
 public:
  void on_improved(const cache::Entry&) override {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ != 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

cache::EntryPtr entry_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "word " + std::to_string(i * i % 9973) + " and ";
  return std::make_shared<const cache::Entry>(cache::Meta{}, cache::Content::whole(text));
}

std::shared_ptr<cache::CodedForm> form_of(const cache::EntryPtr& entry, int level) {
  codec::EncoderOptions options;
  options.coding = Coding::kZstd;
  options.level = level;
  auto form = entry->content()->forms().find(entry->content(), options);
  while (form->code_on().has_gone_on) {
  }
  return form;
}

TEST(FormImprover, MakesASmallerFormAndSaysSo) {
  Improved improved;
  FormImprover improver(improved);
  const auto entry = entry_of(200'000);
  const auto form = form_of(entry, 1);
  improver.improve(entry, *form);
  improved.wait();
  const auto better = form_of(entry, 1);
  EXPECT_LT(better->content()->size(), form->content()->size());
  EXPECT_TRUE(better->content()->is_complete());
}

TEST(FormImprover, GoesInTheMidst) {
  Improved improved;
  const auto entry = entry_of(1'000'000);
  const auto form = form_of(entry, 1);
  FormImprover improver(improved);
  for (int i = 0; i < 100; ++i) improver.improve(entry, *form);
}

}  // namespace
}  // namespace rproxy::storage
