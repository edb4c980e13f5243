// The ids by which a request is found again in logs, on error pages and at the upstream.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"

namespace rproxy::exchange {

// 128 random bits each, as hexadecimal digits: distinct, not secret. For one thread.
class RequestIds {
 public:
  RequestIds();

  // In the arena.
  std::string_view make(Arena& arena);

 private:
  std::uint64_t next();

  std::uint64_t state_[2];
};

}  // namespace rproxy::exchange
