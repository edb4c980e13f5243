// br (RFC 7932), and where the library can, dcb: the same with a dictionary (RFC 9842 4).
#pragma once

#include <brotli/encode.h>

#include <memory>

#include "codec/dictionary_header.h"
#include "codec/encoder.h"
#include "codec/memory.h"

namespace rproxy::codec {

class BrotliEncoder final : public Encoder {
 public:
  explicit BrotliEncoder(Account& account) : account_(account) {}
  ~BrotliEncoder() override { stop(); }
  BrotliEncoder(const BrotliEncoder&) = delete;
  BrotliEncoder& operator=(const BrotliEncoder&) = delete;

  Result<Progress> encode(std::string_view in, std::span<char> out, Flush flush) override;
  Result<void> start(const EncoderOptions& options) override;
  void stop() override;

 private:
  Result<Progress> pad(std::span<char> out);
  Result<void> attach(const EncoderOptions& options);

  Account& account_;
  // Brotli can't begin anew: each stream has its own, of recycled memory.
  BrotliEncoderState* state_ = nullptr;
  DictionaryHeader header_;
  std::size_t padding_ = 0;  // still to be written
  bool is_padding_ = false;
#ifdef RPROXY_HAS_DCB
  std::shared_ptr<const Dictionary> dictionary_;
  std::shared_ptr<const BrotliEncoderPreparedDictionary> prepared_;  // has views of the dictionary
#endif
};

}  // namespace rproxy::codec
