#include "codec/decoders.h"

#include "codec/brotli_decoder.h"
#include "codec/zlib_decoder.h"
#include "codec/zstd_decoder.h"

namespace rproxy::codec {

template <>
std::unique_ptr<Decoder> make_machine<Decoder>(Coding coding, Account& account) {
  switch (coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return std::make_unique<ZlibDecoder>(account);
    case Coding::kBrotli:
    case Coding::kDcb:
      return std::make_unique<BrotliDecoder>(account);
    case Coding::kZstd:
    case Coding::kDcz:
      return std::make_unique<ZstdDecoder>(account);
    case Coding::kIdentity:
      break;
  }
  return nullptr;
}

bool can_decode(Coding coding) { return coding != Coding::kIdentity && (kHasDcb || coding != Coding::kDcb); }

}  // namespace rproxy::codec
