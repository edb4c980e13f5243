// gzip and deflate by the library that is better at the level.
#pragma once

#include <memory>

#include "codec/encoder.h"
#include "codec/memory.h"

namespace rproxy::codec {

class DeflateEncoder final : public Encoder {
 public:
  explicit DeflateEncoder(Account& account) : account_(account) {}

  Result<Progress> encode(std::string_view in, std::span<char> out, Flush flush) override {
    return machine_->encode(in, out, flush);
  }
  Result<void> start(const EncoderOptions& options) override;
  void stop() override { machine_->stop(); }

 private:
  Account& account_;
  std::unique_ptr<Encoder> machine_;
  bool is_isal_ = false;
};

}  // namespace rproxy::codec
