// The pool of decoders, one per worker.
#pragma once

#include <cstddef>
#include <memory>

#include "codec/decoder.h"
#include "codec/pool.h"

namespace rproxy::codec {

template <>
std::unique_ptr<Decoder> make_machine<Decoder>(Coding coding, Account& account);

using Decoders = Pool<Decoder>;

// All but kIdentity; kDcb only with kHasDcb.
bool can_decode(Coding coding);

// A decoder with these options takes no more memory, whatever the content; one that the pool had may still hold what an earlier stream
// needed. Dictionaries are shared, and not counted.
std::size_t memory_bound(const DecoderOptions& options);

}  // namespace rproxy::codec
