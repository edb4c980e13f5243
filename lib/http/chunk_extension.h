// The grammar of chunk extensions (RFC 9112 7.1.1), byte by byte. They are read in order to be dropped, and only so strictly that
// nobody in front of us can have seen the line end elsewhere.
#pragma once

#include <cstdint>

namespace rproxy::http {

class ChunkExtensions {
 public:
  // The next byte after the chunk's size, without the CR; false where it can't stand there.
  bool take(char c);
  // Whether the line may end here.
  bool may_end() const { return state_ == State::kName || state_ == State::kValue || state_ == State::kQuoteEnd; }

 private:
  enum class State : std::uint8_t {
    kSpace,    // before a semicolon; nothing else may follow
    kNewName,  // behind a semicolon
    kName,
    kNameEnd,   // white space behind a name
    kNewValue,  // behind an equals sign
    kValue,
    kQuoted,
    kEscaped,
    kQuoteEnd
  };

  bool take_separator(char c);

  State state_ = State::kSpace;
};

}  // namespace rproxy::http
