#include "cache/content.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cache/coded_forms.h"

namespace rproxy::cache {
namespace {

// Content of unknown length grows by blocks, each as large as all before it, within these bounds.
constexpr std::size_t kBlockMin = 4096;
constexpr std::size_t kBlockMax = SendableBlock::kSize;

// From this size on it costs less not to copy what is sent, measured, than to have the kernel look after pages.
constexpr std::size_t kSendableMin = 256 * 1024;

const Error& gone() {
  static const Error error(ErrorCode::kTruncated, Side::kLocal, Retry::kSafe, 0, "content that is not kept");
  return error;
}

}  // namespace

Content::Content(std::optional<std::uint64_t> expected) : expected_(expected) {}
Content::~Content() = default;

std::shared_ptr<Content> Content::whole(std::string_view bytes) {
  auto content = std::make_shared<Content>(bytes.size());
  content->append(bytes);
  content->finish();
  return content;
}

std::shared_ptr<Content> Content::in_file(std::shared_ptr<FileContent> file, std::uint64_t size) {
  auto content = std::make_shared<Content>(size);
  content->file_ = std::move(file);
  content->written_ = size;
  content->size_.store(size, std::memory_order_relaxed);
  content->cost_.store(kFileCost, std::memory_order_relaxed);
  content->state_.store(State::kComplete, std::memory_order_release);
  return content;
}

// New bytes join the last block as long as it has room: a block is one write to a client.
Content::Block& Content::room_for(std::size_t size) {
  const std::uint64_t end = size_.load(std::memory_order_relaxed);
  if (!blocks_.empty() && blocks_.back().capacity - blocks_.back().size >= std::min<std::size_t>(size, 1)) {
    if (blocks_.back().capacity > blocks_.back().size) return blocks_.back();
  }
  std::size_t capacity = std::clamp<std::size_t>(end, std::max(kBlockMin, std::min(size, kBlockMax)), kBlockMax);
  if (expected_ && *expected_ > end && keeping_ == Keeping::kAll) {
    capacity = static_cast<std::size_t>(std::min<std::uint64_t>(*expected_ - end, kBlockMax));
  }
  std::optional<SendableBlock> sendable;
  if (capacity >= kSendableMin && keeping_ == Keeping::kAll) sendable = SendableBlock::take();
  auto bytes = sendable ? nullptr : std::make_unique_for_overwrite<char[]>(capacity);
  add_block({.bytes = std::move(bytes), .sendable = std::move(sendable), .capacity = capacity});
  return blocks_.back();
}

void Content::add_block(Block block) {
  block.begin = size_.load(std::memory_order_relaxed);
  cost_.fetch_add(block.capacity, std::memory_order_relaxed);
  blocks_.push_back(std::move(block));
}

bool Content::Block::append(std::string_view more) {
  if (sendable && !sendable->write(size, more)) return false;
  if (!sendable) std::memcpy(bytes.get() + size, more.data(), more.size());
  size += more.size();
  return true;
}

// What a block has too much would be held as long as the object; one that can be sent as it is has taken no more than was written.
void Content::fit(Block& block) {
  cost_.fetch_sub(block.capacity - block.size, std::memory_order_relaxed);
  block.capacity = block.size;
  if (block.sendable) return;
  auto fitting = std::make_unique_for_overwrite<char[]>(block.size);
  std::memcpy(fitting.get(), block.bytes.get(), block.size);
  block.bytes = std::move(fitting);
}

void Content::append(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::lock_guard lock(mutex_);
  while (!bytes.empty()) {
    Block& block = room_for(bytes.size());
    const std::string_view part = bytes.substr(0, block.capacity - block.size);
    if (!block.append(part)) {
      const std::size_t rest = block.capacity - block.size;
      fit(block);
      add_block({.bytes = std::make_unique_for_overwrite<char[]>(rest), .capacity = rest});
      continue;
    }
    bytes.remove_prefix(part.size());
    size_.fetch_add(part.size(), std::memory_order_release);
  }
  if (readers_.empty()) drop();
  tell_readers();
}

void Content::finish() {
  const std::lock_guard lock(mutex_);
  if (!blocks_.empty() && readers_.empty() && blocks_.back().size < blocks_.back().capacity) fit(blocks_.back());
  state_.store(State::kComplete, std::memory_order_release);
  drop();
  tell_readers();
}

void Content::fail(Error error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  state_.store(State::kFailed, std::memory_order_release);
  tell_readers();
}

void Content::pass_through(std::size_t window) {
  const std::lock_guard lock(mutex_);
  keeping_ = Keeping::kUnread;
  window_ = window;
  drop();
}

void Content::spill(std::size_t window) {
  const std::lock_guard lock(mutex_);
  keeping_ = Keeping::kUnwritten;
  window_ = window;
  drop();
}

void Content::set_written(std::shared_ptr<FileContent> file, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (keeping_ == Keeping::kAll) return;
  if (file_ == nullptr) {
    file_ = std::move(file);
    cost_.fetch_add(kFileCost, std::memory_order_relaxed);
  }
  written_ = size;
  drop();
  tell_writer_if_room();
}

void Content::stop_spilling() {
  const std::lock_guard lock(mutex_);
  if (keeping_ != Keeping::kUnwritten) return;
  keeping_ = Keeping::kUnread;
  drop();
  tell_writer_if_room();
}

std::size_t Content::cost() const {
  const CodedForms* forms = nullptr;
  {
    const std::lock_guard lock(mutex_);
    forms = forms_.get();
  }
  return cost_.load(std::memory_order_relaxed) + (forms != nullptr ? forms->cost() : 0);
}

CodedForms& Content::forms() {
  const std::lock_guard lock(mutex_);
  if (forms_ == nullptr) forms_ = std::make_unique<CodedForms>();
  return *forms_;
}

void Content::nudge() {
  const std::lock_guard lock(mutex_);
  tell_readers();
}

std::shared_ptr<FileContent> Content::file() const {
  if (is_settled()) return file_;
  const std::lock_guard lock(mutex_);
  return file_;
}

bool Content::leans_on_file() const {
  const std::lock_guard lock(mutex_);
  return keeping_ != Keeping::kAll || file_ != nullptr;
}

bool Content::has_room() const {
  switch (keeping_) {
    case Keeping::kAll:
      return true;
    case Keeping::kUnwritten:
      return size_.load() - written_ < window_;
    case Keeping::kUnread:
      break;
  }
  return size_.load() - std::max(slowest(), written_) < window_ || (readers_.empty() && holds_ == 0);
}

bool Content::has_room(Listener& writer) {
  const std::lock_guard lock(mutex_);
  if (has_room()) return true;
  writer_ = &writer;
  return false;
}

void Content::forget_writer() {
  const std::lock_guard lock(mutex_);
  writer_ = nullptr;
}

bool Content::has_readers() const {
  const std::lock_guard lock(mutex_);
  return !readers_.empty() || holds_ != 0;
}

void Content::hold(std::size_t count) {
  const std::lock_guard lock(mutex_);
  holds_ += count;
}

void Content::release() {
  const std::lock_guard lock(mutex_);
  --holds_;
  drop();
  tell_writer_if_room();
}

std::optional<std::uint64_t> Content::length() const {
  if (expected_) return expected_;
  if (is_complete()) return size();
  return std::nullopt;
}

const Content::Block* Content::block_at(std::uint64_t position) const {
  const auto after = std::ranges::upper_bound(blocks_, position, {}, &Block::begin);
  if (after == blocks_.begin()) return nullptr;
  const Block& block = *std::prev(after);
  return position - block.begin < block.size ? &block : nullptr;
}

// Neither here nor in the file.
bool Content::has_dropped(std::uint64_t position) const {
  return position >= written_ && position < size_.load() && block_at(position) == nullptr;
}

std::uint64_t Content::slowest() const {
  if (holds_ != 0) return 0;
  std::uint64_t least = size_.load();
  for (const Reader* reader : readers_) least = std::min(least, reader->position_);
  return least;
}

// Of what is not needed for others; a block that is not full yet may get more, and what a reader was given stays in its place.
void Content::drop() {
  if (keeping_ == Keeping::kAll) return;
  const std::uint64_t end = keeping_ == Keeping::kUnwritten ? written_ : std::max(slowest(), written_);
  const bool is_over = state_.load(std::memory_order_relaxed) != State::kGrowing;
  std::erase_if(blocks_, [&](const Block& block) {
    const bool may_grow = block.size < block.capacity && !is_over;
    if (block.begin + block.size > end || may_grow || is_held(block)) return false;
    cost_.fetch_sub(block.capacity, std::memory_order_relaxed);
    return true;
  });
}

bool Content::is_held(const Block& block) const {
  return std::ranges::any_of(readers_, [&](const Reader* reader) {
    return reader->holds_block_ && reader->position_ >= block.begin && reader->position_ < block.begin + block.size;
  });
}

void Content::tell_readers() {
  for (Reader* reader : readers_) {
    if (Listener* const listener = std::exchange(reader->listener_, nullptr)) listener->on_change();
  }
}

void Content::tell_writer_if_room() {
  if (writer_ == nullptr || !has_room()) return;
  std::exchange(writer_, nullptr)->on_change();
}

Content::Reader::Reader(std::shared_ptr<Content> content, std::uint64_t position)
    : content_(std::move(content)), position_(position) {
  if (content_->is_settled()) return;
  const std::lock_guard lock(content_->mutex_);
  if (content_->has_dropped(position)) return;
  content_->readers_.push_back(this);
  is_enlisted_ = true;
}

bool Content::Reader::end() {
  if (!is_enlisted_) return false;
  const std::lock_guard lock(content_->mutex_);
  leave();
  return content_->keeping_ != Keeping::kAll;
}

// Under the content's lock. Nobody waits for it any more.
void Content::Reader::leave() {
  is_enlisted_ = false;
  std::erase(content_->readers_, this);
  content_->drop();
  content_->tell_writer_if_room();
}

Content::Reader::Piece Content::Reader::next(std::uint64_t most) {
  Piece piece;
  piece.position = position_;
  if (const Block* const block = content_->block_at(position_)) {
    const auto from = static_cast<std::size_t>(position_ - block->begin);
    piece.data = {block->data() + from, static_cast<std::size_t>(std::min<std::uint64_t>(most, block->size - from))};
    if (block->sendable) {
      piece.descriptor = block->sendable->descriptor();
      piece.offset = static_cast<std::uint64_t>(block->sendable->offset()) + from;
    }
  } else if (position_ < content_->written_) {
    piece.in_file = std::min(most, content_->written_ - position_);
  }
  given_ = piece.data.size() + piece.in_file;
  holds_block_ = !piece.data.empty();
  piece.is_end = content_->is_complete() && position_ + given_ >= content_->size();
  return piece;
}

Content::Reader::Piece Content::Reader::read(std::uint64_t most, Listener& listener) {
  Content& content = *content_;
  if (content.is_settled()) {
    position_ += given_;
    return next(most);
  }
  const std::lock_guard lock(content.mutex_);
  position_ += given_;
  holds_block_ = false;
  content.drop();
  Piece piece = next(most);
  if (content.has_dropped(position_)) {
    piece.error = &gone();
    leave();
    return piece;
  }
  const bool is_nothing = given_ == 0 && !piece.is_end;
  if (is_nothing && content.has_failed()) {
    piece.error = &*content.error_;
  } else if (is_nothing) {
    listener_ = &listener;
  }
  content.tell_writer_if_room();
  return piece;
}

void Content::Reader::forget_listener() {
  if (!is_enlisted_) return;
  const std::lock_guard lock(content_->mutex_);
  listener_ = nullptr;
}

}  // namespace rproxy::cache
