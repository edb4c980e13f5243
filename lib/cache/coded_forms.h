// A content in other codings: each is made once, as far as anybody reads it, and kept beside the content for all who come.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cache/content.h"
#include "codec/encoders.h"
#include "codec/sizing.h"

namespace rproxy::cache {

// One of them. Whoever reads it and finds nothing new codes on; it is one at a time who does, on whichever thread.
class CodedForm final : private Content::Listener {
 public:
  // `memory`, or null: counts what coding takes.
  CodedForm(std::shared_ptr<Content> source, const codec::EncoderOptions& options,
            std::shared_ptr<codec::Tally> memory = nullptr);
  CodedForm(const CodedForm&) = delete;
  CodedForm& operator=(const CodedForm&) = delete;
  ~CodedForm();

  http::Coding coding() const { return options_.coding; }
  // Of the same coding, by the same dictionary.
  bool is_such(const codec::EncoderOptions& options) const {
    return options.coding == options_.coding && options.dictionary == options_.dictionary;
  }
  const codec::EncoderOptions& options() const { return options_; }
  int level() const { return options_.level.value_or(codec::levels_of(options_.coding).usual); }
  const std::shared_ptr<Content>& content() const { return content_; }
  // Counts a use; true for the one that makes it worth more time than it was made in, once.
  bool has_become_hot() { return uses_.fetch_add(1, std::memory_order_relaxed) + 1 == kHot; }

  // A step of it. False: there is nothing to be done just now, by this caller at least; readers of the content are told when to ask again.
  // Bytes that were read and made, by what this call has done.
  struct Step {
    bool has_gone_on = false;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  Step code_on();

 private:
  void on_change() override { content_->nudge(); }
  void code(std::string_view bytes, codec::Flush flush, Step& step);

  static constexpr std::uint32_t kHot = 16;

  const codec::EncoderOptions options_;
  std::atomic<std::uint32_t> uses_{0};
  const std::shared_ptr<Content> content_;
  std::mutex mutex_;  // of who codes
  codec::Encoders encoders_;
  codec::Encoders::Lease encoder_;
  std::unique_ptr<Content::Reader> source_;  // none: it is over
  bool has_unflushed_ = false;
};

// Any thread.
class CodedForms {
 public:
  // To be left in any case: a form that is under way keeps its content. Null: there are too many already.
  std::shared_ptr<CodedForm> find(const std::shared_ptr<Content>& source, const codec::EncoderOptions& options,
                                  const std::shared_ptr<codec::Tally>& memory = nullptr);
  // Nobody reads it any more, or there is a reader less: what nobody goes on with goes.
  void leave(std::shared_ptr<CodedForm> form);
  // In the place of what there is of that coding.
  void replace(std::shared_ptr<CodedForm> form);

  // Of memory.
  std::size_t cost() const;

 private:
  static constexpr std::size_t kMax = 8;

  struct Held {
    std::shared_ptr<CodedForm> form;
    std::uint32_t users = 0;
  };
  mutable std::mutex mutex_;
  std::vector<Held> held_;
};

}  // namespace rproxy::cache
