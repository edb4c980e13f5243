#include "codec/isal_encoder.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "codec/padding.h"
#include "codec/refused.h"
#include "codec/sizing.h"

namespace rproxy::codec {
namespace {

constexpr std::size_t kIsalPieceMax = std::size_t{1} << 30U;  // the library counts in 32 bits
// As many tokens to a block as the window has bytes, up to the 16384 that zlib has; more gain nothing.
std::size_t tokens_size(const Sizing& sizing) {
  const std::size_t tokens =
      std::clamp<std::size_t>(std::size_t{1} << static_cast<unsigned>(sizing.window_log), 1024, 16'384);
  return (sizing.level == 1 ? ISAL_DEF_LVL1_REQ : ISAL_DEF_LVL2_REQ) + tokens * ISAL_DEF_LVL2_TOKEN_SIZE;
}

// RFC 1952 2.3: no name, no time; a field that nobody needs to look at.
std::string padded_header(std::size_t size) {
  std::string header{'\x1f', '\x8b', 8, 4, 0, 0, 0, 0, 0, 3};
  header += {static_cast<char>(size & 0xffU), static_cast<char>(size >> 8U)};
  header.resize(header.size() + size);
  return header;
}

}  // namespace

std::size_t IsalEncoder::memory_bound(const Sizing& sizing) {
  return Memory::gross(sizeof(isal_zstream)) + Memory::gross(tokens_size(sizing));
}

IsalEncoder::~IsalEncoder() {
  Account::release(&account_, stream_);
  Account::release(&account_, tokens_);
}

bool IsalEncoder::make(const Sizing& sizing) {
  if (stream_ == nullptr) {
    void* const memory = Account::allocate(&account_, sizeof(isal_zstream));
    if (memory == nullptr) return false;
    stream_ = new (memory) isal_zstream;
  }
  const std::size_t size = tokens_size(sizing);
  if (size > tokens_size_) {
    tokens_size_ = 0;
    Account::release(&account_, std::exchange(tokens_, nullptr));
    tokens_ = Account::allocate(&account_, size);
    if (tokens_ == nullptr) return false;
    tokens_size_ = size;
  }
  isal_deflate_init(stream_);
  stream_->level = static_cast<std::uint32_t>(sizing.level);
  stream_->level_buf = static_cast<std::uint8_t*>(tokens_);
  stream_->level_buf_size = static_cast<std::uint32_t>(size);
  stream_->hist_bits = static_cast<std::uint16_t>(sizing.window_log);
  return true;
}

Result<void> IsalEncoder::start(const EncoderOptions& options) {
  if (!make(sizing_of(options))) return refused("ISA-L: no memory for an encoder");
  const std::size_t padding = options.coding == Coding::kGzip ? padding_of(options) : 0;
  ready_ = padding != 0 ? padded_header(padding) : std::string();
  ready_written_ = 0;
  has_unflushed_ = false;
  if (options.coding != Coding::kGzip) {
    stream_->gzip_flag = IGZIP_ZLIB;
  } else {
    stream_->gzip_flag = padding != 0 ? IGZIP_GZIP_NO_HDR : IGZIP_GZIP;
  }
  return {};
}

std::size_t IsalEncoder::write_ready(std::span<char> out) {
  const std::size_t count = std::min(out.size(), ready_.size() - ready_written_);
  if (count != 0) std::memcpy(out.data(), ready_.data() + ready_written_, count);
  ready_written_ += count;
  return count;
}

// Whether all that belongs before the flush, or the end, has left the library.
bool IsalEncoder::is_through(Flush flush) const {
  const auto state = stream_->internal_state.state;
  if (flush == Flush::kEnd) return state == ZSTATE_END;
  return flush == Flush::kNone || !has_unflushed_;
}

// Takes from `in` what it can, and gives how many bytes it has written.
Result<std::size_t> IsalEncoder::deflate(std::string_view& in, std::span<char> out, Flush flush) {
  const std::string_view piece = in.substr(0, kIsalPieceMax);
  const auto room = static_cast<std::uint32_t>(std::min(out.size(), kIsalPieceMax));
  const bool is_all = piece.size() == in.size();
  stream_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(piece.data()));
  stream_->avail_in = static_cast<std::uint32_t>(piece.size());
  stream_->next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream_->avail_out = room;
  stream_->end_of_stream = is_all && flush == Flush::kEnd ? 1 : 0;
  stream_->flush = is_all && flush == Flush::kFlush ? SYNC_FLUSH : NO_FLUSH;
  if (isal_deflate(stream_) != COMP_OK) return refused("ISA-L: isal_deflate");
  const std::size_t consumed = piece.size() - stream_->avail_in;
  in.remove_prefix(consumed);
  has_unflushed_ = has_unflushed_ || consumed != 0;
  // What the library says is enough (igzip_lib.h, isal_deflate).
  if (in.empty() && flush == Flush::kFlush && stream_->internal_state.state == ZSTATE_NEW_HDR) has_unflushed_ = false;
  return room - stream_->avail_out;
}

Result<Progress> IsalEncoder::encode(std::string_view in, std::span<char> out, Flush flush) {
  Progress progress;
  const std::size_t given = in.size();
  progress.produced = write_ready(out);
  if (progress.produced != out.size() && !(in.empty() && is_through(flush))) {
    const auto room = out.subspan(progress.produced);
    // With less room the library would begin each flush anew and never end it.
    const bool is_direct = room.size() >= kRoomMin;
    if (!is_direct) ready_.resize(kRoomMin);
    const auto count = deflate(in, is_direct ? room : std::span<char>(ready_), flush);
    if (!count) return fail(count.error());
    if (is_direct) {
      progress.produced += *count;
    } else {
      ready_.resize(*count);
      ready_written_ = 0;
      progress.produced += write_ready(room);
    }
  }
  progress.consumed = given - in.size();
  const bool is_out = ready_written_ == ready_.size() || flush == Flush::kNone;
  progress.done = in.empty() && is_out && is_through(flush);
  return progress;
}

}  // namespace rproxy::codec
