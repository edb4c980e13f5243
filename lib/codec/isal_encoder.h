// gzip (RFC 1952), and deflate in zlib's format (RFC 1950), by ISA-L: at its low levels less than half of zlib's work for fewer bytes.
#pragma once

#include <isa-l/igzip_lib.h>

#include <cstddef>
#include <string>

#include "codec/encoder.h"
#include "codec/memory.h"
#include "codec/sizing.h"

namespace rproxy::codec {

class IsalEncoder final : public Encoder {
 public:
  // Those it is better at.
  static constexpr int kLevelMax = 2;

  explicit IsalEncoder(Account& account) : account_(account) {}
  ~IsalEncoder() override;
  IsalEncoder(const IsalEncoder&) = delete;
  IsalEncoder& operator=(const IsalEncoder&) = delete;

  Result<Progress> encode(std::string_view in, std::span<char> out, Flush flush) override;
  Result<void> start(const EncoderOptions& options) override;
  void stop() override {}

  static std::size_t memory_bound(const Sizing& sizing);

 private:
  static constexpr std::size_t kRoomMin = 256;

  bool make(const Sizing& sizing);
  std::size_t write_ready(std::span<char> out);
  bool is_through(Flush flush) const;
  Result<std::size_t> deflate(std::string_view& in, std::span<char> out, Flush flush);

  Account& account_;
  isal_zstream* stream_ = nullptr;
  void* tokens_ = nullptr;
  std::size_t tokens_size_ = 0;
  // A gzip header with padding, or what there was too little room for.
  std::string ready_;
  std::size_t ready_written_ = 0;
  bool has_unflushed_ = false;
};

}  // namespace rproxy::codec
