#include "codec/zstd_encoder.h"

#define ZSTD_STATIC_LINKING_ONLY  // its allocator, and ZSTD_c_srcSizeHint
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "codec/prepared.h"
#include "codec/refused.h"
#include "codec/sizing.h"

namespace rproxy::codec {
namespace {

ZSTD_EndDirective zstd_directive(Flush flush) {
  if (flush == Flush::kNone) return ZSTD_e_continue;
  return flush == Flush::kFlush ? ZSTD_e_flush : ZSTD_e_end;
}

}  // namespace

ZstdEncoder::ZstdEncoder(Account& account)
    : context_(ZSTD_createCCtx_advanced({Account::allocate, Account::release, &account})) {}

ZstdEncoder::~ZstdEncoder() { ZSTD_freeCCtx(context_); }

bool ZstdEncoder::set_up(const EncoderOptions& options) {
  const Sizing sizing = sizing_of(options);
  const auto set = [this](ZSTD_cParameter parameter, int value) {
    return ZSTD_isError(ZSTD_CCtx_setParameter(context_, parameter, value)) == 0;
  };
  bool is_set = set(ZSTD_c_compressionLevel, sizing.level) && set(ZSTD_c_windowLog, sizing.window_log) &&
                set(ZSTD_c_hashLog, sizing.hash_log) && set(ZSTD_c_chainLog, sizing.chain_log);
  if (options.size_hint) {
    // A hint and no pledge: a content that is not as long as was said is its reader's to judge.
    constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
    is_set = is_set && set(ZSTD_c_srcSizeHint, static_cast<int>(std::min(*options.size_hint, kMost)));
  }
  if (prepared_ != nullptr) is_set = is_set && ZSTD_isError(ZSTD_CCtx_refCDict(context_, prepared_.get())) == 0;
  return is_set;
}

Result<void> ZstdEncoder::start(const EncoderOptions& options) {
  if (context_ == nullptr) return refused("zstd: no memory for an encoder");
  padding_ = ZstdPadding(padding_of(options));
  header_ = {};
  if (options.coding == Coding::kDcz) {
    if (options.dictionary == nullptr) return refused("dcz without a dictionary");
    dictionary_ = options.dictionary;
    prepared_ = dictionary_->prepared().for_zstd(sizing_of(options).level);
    if (prepared_ == nullptr) return refused("zstd: no memory for a dictionary");
    header_ = DictionaryHeader(Coding::kDcz, *dictionary_);
  }
  if (!set_up(options)) return refused("zstd: options");
  return {};
}

void ZstdEncoder::stop() {
  if (context_ != nullptr) ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters);
  prepared_.reset();
  dictionary_.reset();
}

Result<Progress> ZstdEncoder::encode(std::string_view in, std::span<char> out, Flush flush) {
  std::size_t header = padding_.write(out);
  if (!padding_.is_through()) return Progress{0, header, false};
  header += header_.write(out.subspan(header));
  if (!header_.is_through() || header == out.size()) return Progress{0, header, false};
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), header};
  const std::size_t left = ZSTD_compressStream2(context_, &output, &input, zstd_directive(flush));
  if (ZSTD_isError(left) != 0) return refused(std::string("zstd: ") + ZSTD_getErrorName(left));
  return Progress{input.pos, output.pos, input.pos == input.size && (flush == Flush::kNone || left == 0)};
}

}  // namespace rproxy::codec
