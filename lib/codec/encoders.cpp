#include "codec/encoders.h"

#include "codec/brotli_encoder.h"
#include "codec/deflate_encoder.h"
#include "codec/prepared.h"
#include "codec/sizing.h"
#include "codec/zstd_encoder.h"

namespace rproxy::codec {

template <>
std::unique_ptr<Encoder> make_machine<Encoder>(Coding coding, Account& account) {
  switch (coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return std::make_unique<DeflateEncoder>(account);
    case Coding::kBrotli:
    case Coding::kDcb:
      return std::make_unique<BrotliEncoder>(account);
    case Coding::kZstd:
    case Coding::kDcz:
      return std::make_unique<ZstdEncoder>(account);
    case Coding::kIdentity:
      break;
  }
  return nullptr;
}

bool can_encode(Coding coding) { return coding != Coding::kIdentity && (kHasDcb || coding != Coding::kDcb); }

void prepare(const EncoderOptions& options) {
  if (options.dictionary == nullptr) return;
  Prepared& prepared = options.dictionary->prepared();
  if (options.coding == Coding::kDcz) prepared.for_zstd(sizing_of(options).level);
#ifdef RPROXY_HAS_DCB
  if (options.coding == Coding::kDcb) prepared.for_brotli(sizing_of(options).level);
#endif
}

}  // namespace rproxy::codec
