#include "http/chunk_extension.h"

#include "http/characters.h"

namespace rproxy::http {
namespace {

// RFC 9110 5.6.3: bad white space, which a recipient must take.
bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool ChunkExtensions::take(char c) {
  switch (state_) {
    case State::kSpace:
    case State::kQuoteEnd:
      return take_separator(c);
    case State::kNewName:
      if (is_space(c)) return true;
      state_ = State::kName;
      return is(c, kTokenChar);
    case State::kName:
      if (is(c, kTokenChar)) return true;
      [[fallthrough]];
    case State::kNameEnd:
      if (c == '=') {
        state_ = State::kNewValue;
        return true;
      }
      if (!take_separator(c)) return false;
      if (state_ == State::kSpace) state_ = State::kNameEnd;
      return true;
    case State::kNewValue:
      if (is_space(c)) return true;
      state_ = c == '"' ? State::kQuoted : State::kValue;
      return c == '"' || is(c, kTokenChar);
    case State::kValue:
      return is(c, kTokenChar) || take_separator(c);
    case State::kQuoted:
      if (c == '"') state_ = State::kQuoteEnd;
      if (c == '\\') state_ = State::kEscaped;
      return is(c, kFieldChar);
    case State::kEscaped:
      state_ = State::kQuoted;
      return is(c, kFieldChar);
  }
  return false;
}

bool ChunkExtensions::take_separator(char c) {
  state_ = c == ';' ? State::kNewName : State::kSpace;
  return c == ';' || is_space(c);
}

}  // namespace rproxy::http
