// Chunked transfer coding (RFC 9112 7.1), bytes in, slices out; no copy of content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "base/units.h"
#include "http/chunk_extension.h"
#include "http/fields.h"

namespace rproxy::http {

struct ChunkLimits {
  std::size_t extension_bytes = 4096;  // all chunk extensions of a message together; they are dropped, not forwarded
  ByteSize trailers = 8_KiB;
  std::size_t trailer_fields = 32;
};

// Decodes one message's content. Any split of the input gives the same slices joined.
class ChunkDecoder {
 public:
  // `arena` receives the trailer section's text; both outlive the decoder.
  ChunkDecoder(const ChunkLimits& limits, Arena& arena) : limits_(limits), arena_(arena) {}

  struct Step {
    std::size_t consumed = 0;  // bytes of the input used, content included
    std::string_view content;  // a slice of the input; may be empty
    bool done = false;         // last chunk and trailer section complete; what follows is the next message
  };

  // Takes at most one slice of content per call; call again with the rest while input remains and not done.
  // Errors (kBadFraming; Side is the caller's to set): bad size digits, more than 16 digits or 2^63, bare LF, missing CRLF after data,
  // malformed or oversized extensions or trailers. Trailers that are not known to be permitted as such (RFC 9110 6.5.1) are dropped.
  Result<Step> feed(std::string_view input);

  const Fields& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailer, kDone };

  Result<void> take_size_digit(char c);
  Result<void> take_trailer_character(char c);
  Result<bool> take_trailer_line();

  const ChunkLimits& limits_;
  Arena& arena_;
  State state_ = State::kSize;
  ChunkExtensions extensions_;  // of the current size line
  std::uint64_t remaining_ = 0;
  std::size_t digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t trailer_lines_ = 0;
  char* line_ = nullptr;  // a trailer line being collected, in the arena
  std::size_t line_size_ = 0;
  std::size_t line_capacity_ = 0;
  Fields trailers_;
};

// Room for any chunk's size line: 16 hex digits and CRLF.
constexpr std::size_t kChunkHeadMax = 18;
// Writes "1a2b\r\n"; returns the bytes written. size > 0: a zero chunk would end the message.
std::size_t write_chunk_head(char* out, std::uint64_t size);

}  // namespace rproxy::http
