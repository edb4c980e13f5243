// zstd (RFC 8878, RFC 9659), and dcz: the same with a dictionary (RFC 9842 5).
#pragma once

#include <memory>

#include "codec/dictionary_header.h"
#include "codec/encoder.h"
#include "codec/memory.h"
#include "codec/padding.h"

struct ZSTD_CCtx_s;
struct ZSTD_CDict_s;

namespace rproxy::codec {

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(Account& account);
  ~ZstdEncoder() override;
  ZstdEncoder(const ZstdEncoder&) = delete;
  ZstdEncoder& operator=(const ZstdEncoder&) = delete;

  Result<Progress> encode(std::string_view in, std::span<char> out, Flush flush) override;
  Result<void> start(const EncoderOptions& options) override;
  void stop() override;

 private:
  bool set_up(const EncoderOptions& options);

  ZSTD_CCtx_s* context_;  // null: there was no memory
  ZstdPadding padding_;
  DictionaryHeader header_;
  std::shared_ptr<const Dictionary> dictionary_;
  std::shared_ptr<const ZSTD_CDict_s> prepared_;  // has views of the dictionary
};

}  // namespace rproxy::codec
