#include "codec/brotli_encoder.h"

#include <algorithm>
#include <array>

#include "codec/padding.h"
#include "codec/prepared.h"
#include "codec/refused.h"
#include "codec/sizing.h"

namespace rproxy::codec {
namespace {

BrotliEncoderOperation brotli_operation(Flush flush) {
  if (flush == Flush::kNone) return BROTLI_OPERATION_PROCESS;
  return flush == Flush::kFlush ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_FINISH;
}

// Never none: the library would take the size of what it gets first for the whole, and as much memory as that deserves.
std::uint32_t size_hint_of(const EncoderOptions& options) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 30U;
  // Longer ones are searched with larger tables, at level 4 in a way that looks at no dictionary.
  constexpr std::uint64_t kNotLong = (std::uint64_t{1} << 20U) - 1;
  const std::uint64_t most = options.coding == Coding::kDcb ? kNotLong : kMost;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(options.size_hint.value_or(kNotLong), 1, most));
}

}  // namespace

Result<void> BrotliEncoder::start(const EncoderOptions& options) {
  const Sizing sizing = sizing_of(options);
  state_ = BrotliEncoderCreateInstance(Account::allocate, Account::release, &account_);
  if (state_ == nullptr) return refused("brotli: no memory for an encoder");
  BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(sizing.level));
  BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, static_cast<std::uint32_t>(sizing.window_log));
  BrotliEncoderSetParameter(state_, BROTLI_PARAM_SIZE_HINT, size_hint_of(options));
  header_ = {};
  padding_ = padding_of(options);
  if (padding_ == 1) padding_ = 2;  // of one byte the library makes what no decoder takes
  is_padding_ = padding_ != 0;
  return options.coding == Coding::kDcb ? attach(options) : Result<void>{};
}

#ifdef RPROXY_HAS_DCB
Result<void> BrotliEncoder::attach(const EncoderOptions& options) {
  if (options.dictionary == nullptr) return refused("dcb without a dictionary");
  dictionary_ = options.dictionary;
  prepared_ = dictionary_->prepared().for_brotli(sizing_of(options).level);
  header_ = DictionaryHeader(Coding::kDcb, *dictionary_);
  if (prepared_ == nullptr || BrotliEncoderAttachPreparedDictionary(state_, prepared_.get()) == BROTLI_FALSE) {
    return refused("brotli: no memory for a dictionary");
  }
  return {};
}
#else
Result<void> BrotliEncoder::attach(const EncoderOptions&) { return refused("this Brotli library has no dcb"); }
#endif

void BrotliEncoder::stop() {
  BrotliEncoderDestroyInstance(state_);
  state_ = nullptr;
#ifdef RPROXY_HAS_DCB
  prepared_.reset();
  dictionary_.reset();
#endif
}

// An empty block with metadata (RFC 7932 9.2).
Result<Progress> BrotliEncoder::pad(std::span<char> out) {
  static constexpr std::array<std::uint8_t, kPaddingMax> kZeros{};
  std::size_t room = out.size();
  const std::uint8_t* next_in = kZeros.data();
  auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
  if (BrotliEncoderCompressStream(state_, BROTLI_OPERATION_EMIT_METADATA, &padding_, &next_in, &room, &next_out,
                                  nullptr) == BROTLI_FALSE) {
    return refused("brotli: no memory for metadata");
  }
  return Progress{0, out.size() - room, padding_ == 0 && BrotliEncoderHasMoreOutput(state_) == BROTLI_FALSE};
}

Result<Progress> BrotliEncoder::encode(std::string_view in, std::span<char> out, Flush flush) {
  const std::size_t header = header_.write(out);
  if (!header_.is_through() || header == out.size()) return Progress{0, header, false};
  if (is_padding_) {
    auto padded = pad(out.subspan(header));
    if (!padded) return padded;
    is_padding_ = !padded->done;
    padded->produced += header;
    padded->done = false;
    return padded;
  }
  std::size_t in_left = in.size();
  std::size_t room = out.size() - header;
  const auto* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
  auto* next_out = reinterpret_cast<std::uint8_t*>(out.data() + header);
  if (BrotliEncoderCompressStream(state_, brotli_operation(flush), &in_left, &next_in, &room, &next_out, nullptr) ==
      BROTLI_FALSE) {
    return refused("brotli: no memory, or a flush that was not done");
  }
  Progress progress{in.size() - in_left, out.size() - room, in_left == 0};
  if (flush == Flush::kFlush) progress.done = progress.done && BrotliEncoderHasMoreOutput(state_) == BROTLI_FALSE;
  if (flush == Flush::kEnd) progress.done = BrotliEncoderIsFinished(state_) == BROTLI_TRUE;
  return progress;
}

}  // namespace rproxy::codec
