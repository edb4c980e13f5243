// A content coding undone: bytes in, bytes out, with limits on what a content may cost. Decoders come from a pool (codec/decoders.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/encoder.h"
#include "codec/expansion.h"

namespace rproxy::codec {

struct DecoderOptions {
  Coding coding = Coding::kGzip;
  // none: zstd 23 (RFC 9659), br 24 (RFC 7932), the others what they have; dcz by its dictionary (RFC 9842 5).
  std::optional<int> window_log_max;
  ExpansionLimits expansion;
  std::shared_ptr<const Dictionary> dictionary;  // kDcb and kDcz
  Side side = Side::kUpstream;                   // who sent the content, and is to blame for it
};

class Decoder {
 public:
  using Options = DecoderOptions;

  virtual ~Decoder() = default;

  // Takes what fits; to be called again with the rest of the input and new room until the input is used up and `out` was not filled.
  // `is_last`: there is no input after this; done then says that the content is complete and all of it is out. No input at all is an
  // empty content. `out` is never empty.
  // Errors: kTruncated; kLimitReached for a window too large or an expansion beyond its limit; kBadResponse (of a client's content
  // kBadRequest) for all that is no such stream, and for anything behind its end. Nothing in `out` counts then, and no call follows.
  Result<Progress> decode(std::string_view in, std::span<char> out, bool is_last);

  // The pool's: begins a stream, and forgets it with all that belongs to others.
  Result<void> start(const DecoderOptions& options);
  void stop();

 protected:
  // What a decoder does by itself. Progress::done: the input so far is a complete content, and all of it is out.
  virtual Result<Progress> step(std::string_view in, std::span<char> out) = 0;
  virtual Result<void> begin(const DecoderOptions& options) = 0;
  virtual void end() = 0;

  tl::unexpected<Error> malformed(std::string_view what) const;
  tl::unexpected<Error> too_large(std::string_view what) const;

 private:
  Expansion expansion_;
  Side side_ = Side::kUpstream;
  bool has_begun_ = false;  // there was input
};

}  // namespace rproxy::codec
