#include "codec/decoder.h"

#include <fmt/core.h>

#include <string>

namespace rproxy::codec {

Result<void> Decoder::start(const DecoderOptions& options) {
  coding_ = options.coding;
  side_ = options.side;
  expansion_ = Expansion(options.expansion);
  has_begun_ = false;
  return begin(options);
}

void Decoder::stop() { end(); }

tl::unexpected<Error> Decoder::malformed(std::string_view what) const {
  const auto code = side_ == Side::kClient ? ErrorCode::kBadRequest : ErrorCode::kBadResponse;
  return fail(code, side_, Retry::kNever, fmt::format("malformed {}: {}", to_string(coding_), what));
}

tl::unexpected<Error> Decoder::too_large(std::string_view what) const {
  return fail(ErrorCode::kLimitReached, side_, Retry::kNever,
              fmt::format("{}: {} is too large", to_string(coding_), what));
}

Result<Progress> Decoder::decode(std::string_view in, std::span<char> out, bool is_last) {
  has_begun_ = has_begun_ || !in.empty();
  if (!has_begun_) return Progress{0, 0, is_last};
  auto progress = step(in, out);
  if (!progress) return progress;
  if (!expansion_.add(progress->consumed, progress->produced)) {
    return too_large(fmt::format("what {} bytes expand to", expansion_.in()));
  }
  const bool is_used_up = progress->consumed == in.size();
  const bool is_out = progress->produced < out.size();
  if (is_last && is_used_up && is_out && !progress->done) {
    return fail(ErrorCode::kTruncated, side_, Retry::kNever, fmt::format("truncated {}", to_string(coding_)));
  }
  progress->done = progress->done && is_last && is_used_up;
  return progress;
}

}  // namespace rproxy::codec
