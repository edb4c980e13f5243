// gzip with any number of members (RFC 1952 2.2); deflate in zlib's format, or raw as some servers send it and all browsers take it.
#pragma once

#include <zlib.h>

#include "codec/decoder.h"
#include "codec/memory.h"

namespace rproxy::codec {

class ZlibDecoder final : public Decoder {
 public:
  explicit ZlibDecoder(Account& account);
  ~ZlibDecoder() override;
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

 private:
  // Where it is in the content.
  enum class At : std::uint8_t { kStart, kInside, kEnd };

  Result<Progress> step(std::string_view in, std::span<char> out) override;
  Result<void> begin(const DecoderOptions& options) override;
  void end() override {}

  bool open(char first);

  z_stream stream_{};
  bool is_gzip_ = false;
  At at_ = At::kStart;
};

}  // namespace rproxy::codec
