// What no content is to blame for: options that can't be, or no memory.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace rproxy::codec {

inline tl::unexpected<Error> refused(std::string context) {
  return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever, std::move(context));
}

}  // namespace rproxy::codec
