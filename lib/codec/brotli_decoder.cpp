#include "codec/brotli_decoder.h"

#include "codec/refused.h"

namespace rproxy::codec {
namespace {

constexpr int kDecoderWindowLogMax = 24;

// RFC 7932 9.1. Of the code that stands for a large window, which this is not (its decoder refuses it), the largest.
int window_log_in(unsigned char first) {
  if ((first & 1U) == 0) return 16;
  if ((first >> 1U & 7U) != 0) return 17 + static_cast<int>(first >> 1U & 7U);
  const auto small = static_cast<int>(first >> 4U & 7U);
  if (small == 0) return 17;
  return small == 1 ? kDecoderWindowLogMax : 8 + small;
}

}  // namespace

Result<void> BrotliDecoder::begin(const DecoderOptions& options) {
  window_log_max_ = options.window_log_max.value_or(kDecoderWindowLogMax);
  has_window_ = false;
  is_complete_ = false;
  header_ = {};
  state_ = BrotliDecoderCreateInstance(Account::allocate, Account::release, &account_);
  if (state_ == nullptr) return refused("brotli: no memory for a decoder");
  return options.coding == Coding::kDcb ? attach(options) : Result<void>{};
}

#ifdef RPROXY_HAS_DCB
Result<void> BrotliDecoder::attach(const DecoderOptions& options) {
  if (options.dictionary == nullptr) return refused("dcb without a dictionary");
  dictionary_ = options.dictionary;
  header_ = DictionaryHeader(Coding::kDcb, *dictionary_);
  const auto bytes = dictionary_->bytes();
  if (BrotliDecoderAttachDictionary(state_, BROTLI_SHARED_DICTIONARY_RAW, bytes.size(),
                                    reinterpret_cast<const std::uint8_t*>(bytes.data())) == BROTLI_FALSE) {
    return refused("brotli: no memory for a dictionary");
  }
  return {};
}
#else
Result<void> BrotliDecoder::attach(const DecoderOptions&) { return refused("this Brotli library has no dcb"); }
#endif

void BrotliDecoder::end() {
  BrotliDecoderDestroyInstance(state_);
  state_ = nullptr;
  dictionary_.reset();
}

tl::unexpected<Error> BrotliDecoder::failed() const {
  const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state_);
  // All that is said of allocations.
  if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) {
    return refused("brotli: no memory");
  }
  return malformed(BrotliDecoderErrorString(code));
}

Result<Progress> BrotliDecoder::step(std::string_view in, std::span<char> out) {
  auto rest = in;
  if (!header_.read(rest)) return malformed("the header of another dictionary");
  if (!header_.is_through() || (rest.empty() && !has_window_)) return Progress{in.size(), 0, false};
  if (!has_window_) {
    if (window_log_in(static_cast<unsigned char>(rest.front())) > window_log_max_) return too_large("the window");
    has_window_ = true;
  }
  if (is_complete_) {
    if (!rest.empty()) return malformed("bytes behind the end");
    return Progress{in.size(), 0, true};
  }
  std::size_t in_left = rest.size();
  std::size_t room = out.size();
  const auto* next_in = reinterpret_cast<const std::uint8_t*>(rest.data());
  auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
  const auto result = BrotliDecoderDecompressStream(state_, &in_left, &next_in, &room, &next_out, nullptr);
  if (result == BROTLI_DECODER_RESULT_ERROR) return failed();
  is_complete_ = result == BROTLI_DECODER_RESULT_SUCCESS;
  if (is_complete_ && in_left != 0) return malformed("bytes behind the end");
  return Progress{in.size() - in_left, out.size() - room, is_complete_};
}

}  // namespace rproxy::codec
