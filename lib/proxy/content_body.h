// Cached content, or a part of it, as a message's: from memory, or from a file without waiting for the disk on this thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "cache/entry.h"
#include "exchange/body.h"
#include "proxy/wakeup.h"
#include "storage/cache.h"

namespace rproxy::proxy {

class ContentBody final : public exchange::Body {
 public:
  static constexpr std::uint64_t kToEnd = std::numeric_limits<std::uint64_t>::max();

  // `size` bytes from `first` on, which there are where the length is known; kToEnd: all that follow. `loop` outlives it. The entry, and so
  // the views of its head, live as long as the body.
  ContentBody(cache::EntryPtr entry, net::Loop& loop, std::uint64_t first, std::uint64_t size);
  // Of another content than its own, in its place.
  ContentBody(cache::EntryPtr entry, std::shared_ptr<cache::Content> content, net::Loop& loop);
  // All of it, of which `keeper`, which outlives it, keeps coded forms.
  ContentBody(cache::EntryPtr entry, net::Loop& loop, storage::Cache& keeper);
  ~ContentBody() override;

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override;
  void allow_files() override { allows_files_ = true; }
  std::unique_ptr<exchange::Body> in_coding(const codec::EncoderOptions& options,
                                            const std::shared_ptr<codec::Tally>& memory) override;

 private:
  using Piece = cache::Content::Reader::Piece;

  net::Task<Result<exchange::Slice>> wait();
  Result<exchange::Slice> take(const Piece& piece);
  net::ValueTask<Result<exchange::Slice>> take_from_file(const Piece& piece);
  net::Task<Result<exchange::Slice>> read_elsewhere(std::shared_ptr<cache::FileContent> file, std::uint64_t position,
                                                    std::size_t size);
  bool is_last(std::uint64_t end) const;

  cache::EntryPtr entry_;
  net::Loop& loop_;
  cache::Content::Reader reader_;
  std::uint64_t first_;
  std::uint64_t left_;
  std::uint64_t whole_;
  storage::Cache* keeper_ = nullptr;
  bool allows_files_ = false;
  std::string bytes_;  // of a file
  std::optional<Wakeup> wakeup_;
};

}  // namespace rproxy::proxy
