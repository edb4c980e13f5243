#include "codec/zstd_decoder.h"

#define ZSTD_STATIC_LINKING_ONLY  // its allocator, and a window limit in bytes
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "codec/prepared.h"
#include "codec/refused.h"
#include "codec/sizing.h"

namespace rproxy::codec {
std::uint64_t zstd_window_max(const DecoderOptions& options) {
  constexpr int kLogMax = 23;  // RFC 9659 3
  if (options.window_log_max)
    return std::uint64_t{1} << static_cast<unsigned>(std::clamp(*options.window_log_max, 10, 27));
  if (options.dictionary != nullptr) return dictionary_window_max(options.dictionary->bytes().size());
  return std::uint64_t{1} << static_cast<unsigned>(kLogMax);
}

ZstdDecoder::ZstdDecoder(Account& account)
    : context_(ZSTD_createDCtx_advanced({Account::allocate, Account::release, &account})) {}

ZstdDecoder::~ZstdDecoder() { ZSTD_freeDCtx(context_); }

Result<void> ZstdDecoder::begin(const DecoderOptions& options) {
  if (context_ == nullptr) return refused("zstd: no memory for a decoder");
  is_complete_ = false;
  magic_at_ = 0;
  header_ = {};
  if (ZSTD_isError(ZSTD_DCtx_setMaxWindowSize(context_, zstd_window_max(options))) != 0) return refused("zstd: window");
  if (options.coding != Coding::kDcz) return {};
  if (options.dictionary == nullptr) return refused("dcz without a dictionary");
  dictionary_ = options.dictionary;
  prepared_ = dictionary_->prepared().for_zstd_decoder();
  header_ = DictionaryHeader(Coding::kDcz, *dictionary_);
  if (prepared_ == nullptr || ZSTD_isError(ZSTD_DCtx_refDDict(context_, prepared_.get())) != 0) {
    return refused("zstd: no memory for a dictionary");
  }
  return {};
}

void ZstdDecoder::end() {
  if (context_ != nullptr) ZSTD_DCtx_reset(context_, ZSTD_reset_session_and_parameters);
  prepared_.reset();
  dictionary_.reset();
}

bool ZstdDecoder::is_frame(std::string_view next) {
  using namespace std::string_view_literals;
  for (; magic_at_ < 4 && !next.empty(); ++magic_at_, next.remove_prefix(1)) {
    const char c = next.front();
    // RFC 8878 3.1.2: sixteen magic numbers, which differ in four bits.
    if (magic_at_ == 0) is_skippable_ = (c & '\xf0') == '\x50';
    const auto expected = is_skippable_ ? "\x50\x2a\x4d\x18"sv : "\x28\xb5\x2f\xfd"sv;
    const char masked = is_skippable_ && magic_at_ == 0 ? '\x50' : c;
    if (masked != expected[magic_at_]) return false;
  }
  return true;
}

tl::unexpected<Error> ZstdDecoder::failed(std::size_t code) const {
  switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
      return too_large("the window");
    case ZSTD_error_memory_allocation:
      return refused("zstd: no memory for a window");
    default:
      return malformed(ZSTD_getErrorName(code));
  }
}

Result<Progress> ZstdDecoder::step(std::string_view in, std::span<char> out) {
  auto rest = in;
  if (!header_.read(rest)) return malformed("the header of another dictionary");
  if (!header_.is_through()) return Progress{in.size(), 0, false};
  ZSTD_inBuffer input{rest.data(), rest.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  // One call ends with a frame.
  while (output.pos < output.size && (input.pos < input.size || !is_complete_)) {
    const std::size_t at = input.pos + output.pos;
    if (!is_frame(rest.substr(input.pos))) return malformed("no frame");
    const std::size_t left = ZSTD_decompressStream(context_, &output, &input);
    if (ZSTD_isError(left) != 0) return failed(left);
    is_complete_ = left == 0;
    if (is_complete_) magic_at_ = 0;
    if (input.pos + output.pos == at) break;
  }
  return Progress{in.size() - rest.size() + input.pos, output.pos, is_complete_ && input.pos == input.size};
}

}  // namespace rproxy::codec
