// br (RFC 7932), and where the library can, dcb: the same with a dictionary (RFC 9842 4).
#pragma once

#include <brotli/decode.h>

#include <memory>

#include "codec/decoder.h"
#include "codec/dictionary_header.h"
#include "codec/memory.h"

namespace rproxy::codec {

class BrotliDecoder final : public Decoder {
 public:
  explicit BrotliDecoder(Account& account) : account_(account) {}
  ~BrotliDecoder() override { BrotliDecoderDestroyInstance(state_); }
  BrotliDecoder(const BrotliDecoder&) = delete;
  BrotliDecoder& operator=(const BrotliDecoder&) = delete;

 private:
  Result<Progress> step(std::string_view in, std::span<char> out) override;
  Result<void> begin(const DecoderOptions& options) override;
  void end() override;

  Result<void> attach(const DecoderOptions& options);
  tl::unexpected<Error> failed() const;

  Account& account_;
  // Brotli can't begin anew: each stream has its own, of recycled memory.
  BrotliDecoderState* state_ = nullptr;
  DictionaryHeader header_;
  std::shared_ptr<const Dictionary> dictionary_;  // attached
  int window_log_max_ = 0;
  bool has_window_ = false;
  bool is_complete_ = false;
};

}  // namespace rproxy::codec
