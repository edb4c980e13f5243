// A content coding as a machine: bytes in, bytes out, no more memory than memory_bound() says, whatever the length of the content.
// Encoders come from a pool (codec/encoders.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "codec/dictionary.h"
#include "http/content_coding.h"

namespace rproxy::codec {

using http::Coding;

constexpr std::size_t kPaddingMax = 1024;

struct EncoderOptions {
  Coding coding = Coding::kGzip;
  // none: levels_of(coding).usual (codec/sizing.h). What is out of range is brought into it.
  std::optional<int> level;
  // Of the content, which gets tables and a window no larger than it has a use for. May be wrong.
  std::optional<std::uint64_t> size_hint;
  // none: window_log_of(coding). Never more than what every decoder takes.
  std::optional<int> window_log_max;
  // kDcb and kDcz have one, the others none.
  std::shared_ptr<const Dictionary> dictionary;
  // So many bytes that mean nothing, so that a length tells less: at most kPaddingMax, and none in kDeflate, which has no place for them.
  std::size_t padding = 0;
};

enum class Flush : std::uint8_t {
  kNone,
  kFlush,  // the peer can decode all that was given so far
  kEnd,    // and the stream ends
};

struct Progress {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool done = false;  // kNone: the input is used up; kFlush, kEnd: and all of it is in the output
};

class Encoder {
 public:
  using Options = EncoderOptions;

  virtual ~Encoder() = default;

  // Takes what fits. Until it is done, it is to be called again with the rest of the input, the same flush and new room; `out` is never
  // empty. After an error, and after kEnd was done, there are no more calls.
  virtual Result<Progress> encode(std::string_view in, std::span<char> out, Flush flush) = 0;

  // The pool's: begins a stream, and forgets it with all that belongs to others.
  virtual Result<void> start(const EncoderOptions& options) = 0;
  virtual void stop() = 0;
};

}  // namespace rproxy::codec
