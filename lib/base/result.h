// A value or an Error. Aliased once so that no other file names the library.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace rproxy {

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

inline tl::unexpected<Error> fail(ErrorCode code, Side side, Retry retry = Retry::kNever, std::string context = {}) {
  return tl::unexpected<Error>(Error{code, side, retry, 0, std::move(context)});
}

}  // namespace rproxy
