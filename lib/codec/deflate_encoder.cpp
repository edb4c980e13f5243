#include "codec/deflate_encoder.h"

#include "codec/isal_encoder.h"
#include "codec/sizing.h"
#include "codec/zlib_encoder.h"

namespace rproxy::codec {

Result<void> DeflateEncoder::start(const EncoderOptions& options) {
  const bool is_isal = sizing_of(options).level <= IsalEncoder::kLevelMax;
  if (machine_ == nullptr || is_isal != is_isal_) {
    machine_.reset();  // before the other takes its memory
    is_isal_ = is_isal;
    if (is_isal) {
      machine_ = std::make_unique<IsalEncoder>(account_);
    } else {
      machine_ = std::make_unique<ZlibEncoder>(account_);
    }
  }
  return machine_->start(options);
}

}  // namespace rproxy::codec
