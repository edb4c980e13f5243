// The bytes of a cached answer. One writes them as they come from the upstream; any number read them meanwhile and afterwards, on any
// thread. What has been written stays in place.
//
// Content too large for memory goes into a file as it comes (spill()): what is there has no copy here, and readers are sent to the file. What
// can't be stored is not lost to who reads it already: from then on (pass_through()) what all of them have read is dropped, and the
// writer waits for the slowest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/sendable_block.h"
#include "cache/file_content.h"

namespace rproxy::cache {

class CodedForms;

class Content {
 public:
  // Told, on the thread that caused it and under the content's lock, when there is more to read, or to write: once for each wait.
  class Listener {
   public:
    virtual void on_change() = 0;

   protected:
    ~Listener() = default;
  };
  class Reader;

  // `expected`: how much will come, where that is known.
  explicit Content(std::optional<std::uint64_t> expected);
  ~Content();
  // All there is.
  static std::shared_ptr<Content> whole(std::string_view bytes);
  static std::shared_ptr<Content> in_file(std::shared_ptr<FileContent> file, std::uint64_t size);
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  // ---- The writer's, of one thread.
  void append(std::string_view bytes);
  void finish();
  void fail(Error error);
  // No more than `window` bytes are kept from now on: unread ones, or those that are not yet in a file.
  void pass_through(std::size_t window);
  void spill(std::size_t window);
  // Whether there is room for more; if not, the listener is told when there is, or when nobody reads any more. Where it is told nothing
  // further must come of it, the listener is taken back by forget_writer().
  bool has_room(Listener& writer);
  void forget_writer();
  bool has_readers() const;

  // ---- Of who brings what is appended into a file, on any thread. Means nothing as long as all is kept here.
  void set_written(std::shared_ptr<FileContent> file, std::uint64_t size);
  // No more will come there: what was to spill passes through.
  void stop_spilling();

  // ---- Of who will read it from its beginning, but has not begun: nothing is dropped before.
  void hold(std::size_t count);
  void release();

  // ---- Anybody's.
  // Bytes, all of them where the length was said or it is complete.
  std::optional<std::uint64_t> length() const;
  bool is_complete() const { return state_.load(std::memory_order_acquire) == State::kComplete; }
  bool has_failed() const { return state_.load(std::memory_order_acquire) == State::kFailed; }
  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }
  // Null: none of it is in a file that is held open. Stays, once it is there.
  std::shared_ptr<FileContent> file() const;
  // Not all of it is kept here.
  bool leans_on_file() const;
  // Of memory. An open file counts as so much that there are not too many of them.
  static constexpr std::size_t kFileCost = 64 * 1024;
  std::size_t cost() const;

  // The same in other codings. Not to be called by listeners.
  CodedForms& forms();
  // All readers are told, though nothing has come.
  void nudge();

 private:
  enum class State : std::uint8_t { kGrowing, kComplete, kFailed };
  // Of a large one the kernel can send parts as they are.
  struct Block {
    std::unique_ptr<char[]> bytes = nullptr;
    std::optional<SendableBlock> sendable = std::nullopt;  // in place of bytes
    std::uint64_t begin = 0;                               // of the content
    std::size_t size = 0;
    std::size_t capacity = 0;

    const char* data() const { return sendable ? sendable->data() : bytes.get(); }
    bool append(std::string_view more);
  };

  enum class Keeping : std::uint8_t { kAll, kUnwritten, kUnread };

  // Complete, and all there: nothing changes any more but who reads.
  bool is_settled() const { return is_complete() && keeping_ == Keeping::kAll; }

  // All that follows under the lock, where it is not settled.
  const Block* block_at(std::uint64_t position) const;
  bool has_dropped(std::uint64_t position) const;
  bool has_room() const;
  Block& room_for(std::size_t size);
  void add_block(Block block);
  void fit(Block& block);
  void drop();
  bool is_held(const Block& block) const;
  std::uint64_t slowest() const;
  void tell_readers();
  void tell_writer_if_room();

  const std::optional<std::uint64_t> expected_;
  std::atomic<State> state_{State::kGrowing};
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::size_t> cost_{0};
  mutable std::mutex mutex_;
  std::vector<Block> blocks_;  // in their order; with gaps where the file has what is missing
  Keeping keeping_ = Keeping::kAll;
  std::size_t window_ = 0;
  std::shared_ptr<FileContent> file_;
  std::uint64_t written_ = 0;  // so much of it is in the file
  std::optional<Error> error_;
  std::vector<Reader*> readers_;  // of content that was not complete when they came
  std::size_t holds_ = 0;
  Listener* writer_ = nullptr;
  std::unique_ptr<CodedForms> forms_;  // none until somebody asks; stays
};

// One who reads from a position on. Belongs to one thread.
class Content::Reader {
 public:
  Reader(std::shared_ptr<Content> content, std::uint64_t position);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { end(); }
  // Reads no more; what was given is no longer held. True: it was one of those that the content waits for before it lets go of what is in a
  // file, so that it may hold less now.
  bool end();

  struct Piece {
    std::string_view data;  // in place until the next read(); empty: there is none yet, or it is over
    int descriptor = -1;    // if there is one, the same bytes from `offset` on, as long as they are in place
    std::uint64_t offset = 0;
    std::uint64_t in_file = 0;     // or so much is to be read from the content's file
    std::uint64_t position = 0;    // where it is in the content
    bool is_end = false;           // nothing follows
    const Error* error = nullptr;  // kTruncated, where the reader came too late for what passes through
  };
  // What is there, at most `most` bytes. Where that is nothing, and it is not over, `listener` is told when there is more.
  Piece read(std::uint64_t most, Listener& listener);
  // Of a piece in the file no more than so much was taken.
  void took(std::uint64_t size) { given_ = size; }
  // The listener is told no more, nor is being told.
  void forget_listener();

  const std::shared_ptr<Content>& content() const { return content_; }

 private:
  friend class Content;
  Piece next(std::uint64_t most);
  void leave();

  std::shared_ptr<Content> content_;
  std::uint64_t position_;
  std::uint64_t given_ = 0;   // of the last piece
  bool holds_block_ = false;  // the last piece was of one
  bool is_enlisted_ = false;
  Listener* listener_ = nullptr;  // under the content's lock
};

}  // namespace rproxy::cache
