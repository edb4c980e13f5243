// The pool of encoders, one per worker, and what is known of codings before one is chosen.
#pragma once

#include <cstddef>
#include <memory>

#include "codec/encoder.h"
#include "codec/pool.h"

namespace rproxy::codec {

template <>
std::unique_ptr<Encoder> make_machine<Encoder>(Coding coding, Account& account);

using Encoders = Pool<Encoder>;

// All but kIdentity; kDcb only with kHasDcb.
bool can_encode(Coding coding);

// Makes what the dictionary in `options` needs once per level, which may take milliseconds a megabyte; else the first stream does.
void prepare(const EncoderOptions& options);

// An encoder with these options takes no more memory, whatever the content; one that the pool had may still hold what an earlier stream
// needed. Dictionaries are shared, and not counted.
std::size_t memory_bound(const EncoderOptions& options);

}  // namespace rproxy::codec
