// gzip (RFC 1952), and deflate in zlib's format (RFC 1950), as RFC 9110 8.4.1.2 has it.
#pragma once

#include <zlib.h>

#include <array>
#include <cstddef>

#include "codec/encoder.h"
#include "codec/memory.h"
#include "codec/sizing.h"

namespace rproxy::codec {

class ZlibEncoder final : public Encoder {
 public:
  explicit ZlibEncoder(Account& account);
  ~ZlibEncoder() override;
  ZlibEncoder(const ZlibEncoder&) = delete;
  ZlibEncoder& operator=(const ZlibEncoder&) = delete;

  Result<Progress> encode(std::string_view in, std::span<char> out, Flush flush) override;
  Result<void> start(const EncoderOptions& options) override;
  void stop() override {}

 private:
  // Of a flush that filled the output exactly zlib does not tell whether it is complete, and would write its marker again for each call.
  // So a little more room is tried here; what comes into it goes out first with the next call.
  static constexpr std::size_t kSpill = 64;

  bool is_made() const { return stream_.state != nullptr; }
  Result<void> make(const Sizing& sizing, bool is_gzip);
  std::size_t write_spill(std::span<char> out);
  bool flush_into_spill();

  Result<void> begin(const EncoderOptions& options);
  // The header's field for what nobody needs to look at (RFC 1952 2.3.1.1).
  void pad(std::size_t size);

  z_stream stream_{};
  gz_header header_{};
  std::array<Bytef, kPaddingMax> padding_{};
  Sizing sizing_;
  bool ended_ = false;
  std::array<char, kSpill> spill_;
  std::size_t spill_begin_ = 0;
  std::size_t spill_end_ = 0;
};

}  // namespace rproxy::codec
