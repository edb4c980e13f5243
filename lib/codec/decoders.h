// The pool of decoders, one per worker.
#pragma once

#include "codec/decoder.h"
#include "codec/pool.h"

namespace rproxy::codec {

using Decoders = Pool<Decoder>;
extern template class Pool<Decoder>;

// All but kIdentity; kDcb only with kHasDcb.
bool can_decode(Coding coding);

// No decoder with these options takes more memory, whatever the content. Dictionaries are shared, and not counted.
std::size_t memory_bound(const DecoderOptions& options);

}  // namespace rproxy::codec
