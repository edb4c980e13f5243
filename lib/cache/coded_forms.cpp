#include "cache/coded_forms.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rproxy::cache {

using codec::Flush;

namespace {

// Of the source, at a time.
constexpr std::uint64_t kStep = 64 * 1024;

}  // namespace

CodedForm::CodedForm(std::shared_ptr<Content> source, const codec::EncoderOptions& options,
                     std::shared_ptr<codec::Tally> memory)
    : options_(options),
      content_(std::make_shared<Content>(std::nullopt)),
      encoders_({.idle_max = 0, .idle_bytes_max = 0, .spare_bytes_max = 0}, std::move(memory)),
      source_(std::make_unique<Content::Reader>(std::move(source), 0)) {
  if (auto encoder = encoders_.take(options_)) {
    encoder_ = std::move(*encoder);
  } else {
    source_.reset();
    content_->fail(std::move(encoder.error()));
  }
}

CodedForm::~CodedForm() {
  if (source_ != nullptr) source_->forget_listener();
}

CodedForm::Step CodedForm::code_on() {
  Step step;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || source_ == nullptr) return step;
  const auto piece = source_->read(kStep, *this);
  if (piece.error != nullptr || piece.in_file > 0) {
    content_->fail(piece.error != nullptr ? *piece.error : Error(ErrorCode::kTruncated, Side::kLocal));
    source_.reset();
    return step;
  }
  step.has_gone_on = !piece.data.empty() || piece.is_end || has_unflushed_;
  if (!step.has_gone_on) return step;
  // What has come is on its way before the rest comes, however long that takes.
  const Flush flush = piece.is_end ? Flush::kEnd : piece.data.empty() ? Flush::kFlush : Flush::kNone;
  has_unflushed_ = flush == Flush::kNone;
  code(piece.data, flush, step);
  if (!piece.is_end) return step;
  encoder_ = {};
  source_.reset();
  if (!content_->has_failed()) content_->finish();
  return step;
}

void CodedForm::code(std::string_view bytes, Flush flush, Step& step) {
  std::array<char, 16 * 1024> out;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  for (;;) {
    const auto progress = encoder_->encode(bytes, out, flush);
    if (!progress) return content_->fail(progress.error());
    step.in += progress->consumed;
    step.out += progress->produced;
    bytes.remove_prefix(progress->consumed);
    content_->append({out.data(), progress->produced});
    if (progress->done) return;
  }
}

std::shared_ptr<CodedForm> CodedForms::find(const std::shared_ptr<Content>& source,
                                            const codec::EncoderOptions& options,
                                            const std::shared_ptr<codec::Tally>& memory) {
  std::shared_ptr<CodedForm> gone;  // goes without the lock
  const std::lock_guard lock(mutex_);
  auto found = std::ranges::find_if(held_, [&](const Held& held) { return held.form->is_such(options); });
  if (found != held_.end() && found->form->content()->has_failed()) {
    gone = std::move(found->form);
    held_.erase(found);
    found = held_.end();
  }
  if (found == held_.end()) {
    if (held_.size() >= kMax) return nullptr;
    held_.push_back({std::make_shared<CodedForm>(source, options, memory), 0});
    found = std::prev(held_.end());
  }
  ++found->users;
  return found->form;
}

void CodedForms::leave(std::shared_ptr<CodedForm> form) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(held_, form, &Held::form);
  if (found == held_.end()) return;
  --found->users;
  if (found->users == 0 && !form->content()->is_complete()) held_.erase(found);
}

void CodedForms::replace(std::shared_ptr<CodedForm> form) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(held_, [&](const Held& held) { return held.form->is_such(form->options()); });
  if (found == held_.end() || form->content()->size() >= found->form->content()->size()) return;
  found->form.swap(form);
  found->users = 0;
}

std::size_t CodedForms::cost() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const Held& held : held_) sum += held.form->content()->cost();
  return sum;
}

}  // namespace rproxy::cache
