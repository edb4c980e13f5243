#include "codec/prepared.h"

#define ZSTD_STATIC_LINKING_ONLY  // dictionaries by reference, and as raw content
#include <zstd.h>

#include <algorithm>
#include <utility>

#ifdef RPROXY_HAS_DCB
#include <brotli/encode.h>
#endif

namespace rproxy::codec {
namespace {

// RFC 9842 5: raw content, whatever it looks like.
std::shared_ptr<const ZSTD_CDict> make_zstd(std::string_view bytes, int level) {
  const auto parameters = ZSTD_getCParams(level, ZSTD_CONTENTSIZE_UNKNOWN, bytes.size());
  ZSTD_CCtx_params* options = ZSTD_createCCtxParams();
  if (options == nullptr) return nullptr;
  ZSTD_CCtxParams_init(options, level);
  ZSTD_CCtxParams_setParameter(options, ZSTD_c_windowLog, static_cast<int>(parameters.windowLog));
  ZSTD_CDict* made = ZSTD_createCDict_advanced2(bytes.data(), bytes.size(), ZSTD_dlm_byRef, ZSTD_dct_rawContent,
                                                options, ZSTD_defaultCMem);
  ZSTD_freeCCtxParams(options);
  return {made, [](const ZSTD_CDict* dictionary) { ZSTD_freeCDict(const_cast<ZSTD_CDict*>(dictionary)); }};
}

}  // namespace

template <typename Made, typename Make>
std::shared_ptr<const Made> Prepared::find_or_make(Cache<Made>& cache, int level, const Make& make) {
  const std::lock_guard lock(mutex_);
  auto found = std::find_if(cache.begin(), cache.end(),
                            [level](const Kept<Made>& kept) { return kept.made != nullptr && kept.level == level; });
  if (found == cache.end()) {
    auto made = make();
    if (made == nullptr) return nullptr;
    found = cache.end() - 1;
    *found = {level, std::move(made)};
  }
  std::rotate(cache.begin(), found, found + 1);
  return cache.front().made;
}

std::shared_ptr<const ZSTD_CDict> Prepared::for_zstd(int level) {
  return find_or_make(zstd_, level, [this, level] { return make_zstd(bytes_, level); });
}

std::shared_ptr<const ZSTD_DDict> Prepared::for_zstd_decoder() {
  const std::lock_guard lock(mutex_);
  if (zstd_decoder_ == nullptr) {
    zstd_decoder_ = {
        ZSTD_createDDict_advanced(bytes_.data(), bytes_.size(), ZSTD_dlm_byRef, ZSTD_dct_rawContent, ZSTD_defaultCMem),
        [](const ZSTD_DDict* dictionary) { ZSTD_freeDDict(const_cast<ZSTD_DDict*>(dictionary)); }};
  }
  return zstd_decoder_;
}

#ifdef RPROXY_HAS_DCB
std::shared_ptr<const BrotliEncoderPreparedDictionary> Prepared::for_brotli(int level) {
  return find_or_make(brotli_, level, [this, level] {
    return std::shared_ptr<const BrotliEncoderPreparedDictionary>(
        BrotliEncoderPrepareDictionary(BROTLI_SHARED_DICTIONARY_RAW, bytes_.size(),
                                       reinterpret_cast<const std::uint8_t*>(bytes_.data()), level, nullptr, nullptr,
                                       nullptr),
        [](const BrotliEncoderPreparedDictionary* dictionary) {
          BrotliEncoderDestroyPreparedDictionary(const_cast<BrotliEncoderPreparedDictionary*>(dictionary));
        });
  });
}
#endif

std::size_t Prepared::memory() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& kept : zstd_) sum += ZSTD_sizeof_CDict(kept.made.get());
#ifdef RPROXY_HAS_DCB
  for (const auto& kept : brotli_) {
    if (kept.made != nullptr) sum += BrotliEncoderGetPreparedDictionarySize(kept.made.get());
  }
#endif
  return sum + ZSTD_sizeof_DDict(zstd_decoder_.get());
}

}  // namespace rproxy::codec
