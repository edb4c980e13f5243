// How large an encoder's window and tables are: no larger than the content has a use for, than was allowed, and than every decoder takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/encoder.h"

namespace rproxy::codec {

struct Levels {
  int min = 0;
  int max = 0;
  int usual = 0;  // what a busy server can afford on answers made anew each time
};
Levels levels_of(Coding coding);

// The window, as a power of two, where the options name no other limit: what gzip has, 256 KiB for br and 512 KiB for zstd, with which
// they take 2 to 4 MB at their usual levels. A page gains nothing by more, a large text 5 %; a thousand streams have a window each.
int window_log_of(Coding coding);

struct Sizing {
  int level = 0;
  int window_log = 0;
  int memory_level = 0;  // zlib's
  int hash_log = 0;      // zstd's tables
  int chain_log = 0;
};
Sizing sizing_of(const EncoderOptions& asked);

// RFC 9842 5: what a decoder of dcz has to have as its window, in bytes.
std::uint64_t dictionary_window_max(std::size_t dictionary_size);

}  // namespace rproxy::codec
