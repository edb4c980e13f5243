#include "http/chunked.h"

#include <algorithm>
#include <cstring>

#include "http/characters.h"
#include "http/head_lines.h"
#include "http/trailer.h"

namespace rproxy::http {
namespace {

constexpr std::size_t kSizeDigitsMax = 16;

tl::unexpected<Error> bad(const char* reason) {
  return fail(ErrorCode::kBadFraming, Side::kClient, Retry::kNever, reason);
}

}  // namespace

Result<ChunkDecoder::Step> ChunkDecoder::feed(std::string_view input) {
  std::size_t at = 0;
  for (; at < input.size(); ++at) {
    const char c = input[at];
    switch (state_) {
      case State::kSize:
        if (auto taken = take_size_digit(c); !taken) return fail(std::move(taken.error()));
        break;
      case State::kExtension:
        if (c == '\r' && extensions_.may_end()) {
          state_ = State::kSizeLf;
          break;
        }
        if (!extensions_.take(c)) return bad("malformed chunk extension");
        if (++extension_bytes_ > limits_.extension_bytes) return bad("chunk extensions too long");
        break;
      case State::kSizeLf:
        if (c != '\n') return bad("chunk size line does not end in CRLF");
        digits_ = 0;
        state_ = remaining_ == 0 ? State::kTrailer : State::kData;
        break;
      case State::kData: {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
        remaining_ -= size;
        if (remaining_ == 0) state_ = State::kDataCr;
        return Step{at + size, input.substr(at, size), false};
      }
      case State::kDataCr:
        if (c != '\r') return bad("chunk data does not end in CRLF");
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return bad("chunk data does not end in CRLF");
        state_ = State::kSize;
        break;
      case State::kTrailer: {
        if (c != '\n') {
          if (auto taken = take_trailer_character(c); !taken) return fail(std::move(taken.error()));
          break;
        }
        auto ended = take_trailer_line();
        if (!ended) return fail(std::move(ended.error()));
        if (*ended) {
          state_ = State::kDone;
          return Step{at + 1, {}, true};
        }
        break;
      }
      case State::kDone:
        return Step{at, {}, true};
    }
  }
  return Step{at, {}, state_ == State::kDone};
}

// RFC 9112 7.1: hexadecimal digits, then an extension or CRLF. No sign, no "0x", no whitespace but before an extension's semicolon.
Result<void> ChunkDecoder::take_size_digit(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    if (++digits_ > kSizeDigitsMax) return bad("chunk size has too many digits");
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    if (remaining_ >> 63 != 0) return bad("chunk size too large");
    return {};
  }
  if (digits_ == 0) return bad("invalid chunk size");
  if (c == '\r') {
    state_ = State::kSizeLf;
    return {};
  }
  state_ = State::kExtension;
  extensions_ = {};
  if (!extensions_.take(c)) return bad("invalid chunk size");
  return {};
}

Result<void> ChunkDecoder::take_trailer_character(char c) {
  if (++trailer_bytes_ > limits_.trailers.bytes) return bad("trailers too large");
  if (line_size_ == line_capacity_) {
    const std::size_t capacity = std::max<std::size_t>(64, line_capacity_ * 2);
    char* grown = arena_.allocate(capacity);
    if (line_size_ > 0) std::memcpy(grown, line_, line_size_);
    line_ = grown;
    line_capacity_ = capacity;
  }
  line_[line_size_++] = c;
  return {};
}

// True at the empty line that ends the message.
Result<bool> ChunkDecoder::take_trailer_line() {
  if (line_size_ == 0 || line_[line_size_ - 1] != '\r') return bad("trailer line does not end in CRLF");
  const std::string_view line(line_, line_size_ - 1);
  // The field's views stay in this piece of the arena; the next line gets another.
  line_ = nullptr;
  line_size_ = line_capacity_ = 0;
  if (line.empty()) return true;
  if (++trailer_lines_ > limits_.trailer_fields) return bad("too many trailers");
  if (const char* wrong = parse_field_line(line, trailers_)) return bad(wrong);
  if (!is_permitted_trailer(trailers_.lines().back())) trailers_.lines().pop_back();
  return false;
}

std::size_t write_chunk_head(char* out, std::uint64_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  char digits[16];
  std::size_t count = 0;
  do {
    digits[count++] = kDigits[size & 15];
    size >>= 4;
  } while (size != 0);
  for (std::size_t i = 0; i < count; ++i) out[i] = digits[count - 1 - i];
  out[count] = '\r';
  out[count + 1] = '\n';
  return count + 2;
}

}  // namespace rproxy::http
