// zstd with any number of frames (RFC 8878 3), and dcz: the same with a dictionary (RFC 9842 5).
#pragma once

#include <memory>

#include "codec/decoder.h"
#include "codec/dictionary_header.h"
#include "codec/memory.h"

struct ZSTD_DCtx_s;
struct ZSTD_DDict_s;

namespace rproxy::codec {

class ZstdDecoder final : public Decoder {
 public:
  explicit ZstdDecoder(Account& account);
  ~ZstdDecoder() override;
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;

 private:
  Result<Progress> step(std::string_view in, std::span<char> out) override;
  Result<void> begin(const DecoderOptions& options) override;
  void end() override;

  // Debian's library reads frames of before RFC 8878 too, with memory that nobody counts and no limit on the window.
  bool is_frame(std::string_view next);
  tl::unexpected<Error> failed(std::size_t code) const;

  ZSTD_DCtx_s* context_;  // null: there was no memory
  DictionaryHeader header_;
  std::shared_ptr<const Dictionary> dictionary_;
  std::shared_ptr<const ZSTD_DDict_s> prepared_;  // has views of the dictionary
  bool is_complete_ = false;                      // between two frames, and all is out
  std::size_t magic_at_ = 0;                      // how much of a frame's magic number has been there
  bool is_skippable_ = false;                     // the frame is
};

// In bytes.
std::uint64_t zstd_window_max(const DecoderOptions& options);

}  // namespace rproxy::codec
