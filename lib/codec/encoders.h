// The pool of encoders, one per worker, and what is known of codings before one is chosen.
#pragma once

#include <cstddef>

#include "codec/encoder.h"
#include "codec/pool.h"

namespace rproxy::codec {

using Encoders = Pool<Encoder>;
extern template class Pool<Encoder>;

// All but kIdentity; kDcb only with kHasDcb.
bool can_encode(Coding coding);

struct Levels {
  int min = 0;
  int max = 0;
  int usual = 0;  // what a busy server can afford on answers made anew each time
};
Levels levels_of(Coding coding);

// The window, as a power of two, where the options do not say.
int window_log_of(Coding coding);

// No encoder with these options takes more memory, whatever the content. Dictionaries are shared, and not counted.
std::size_t memory_bound(const EncoderOptions& options);

}  // namespace rproxy::codec
