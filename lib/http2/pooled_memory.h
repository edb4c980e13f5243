// nghttp2's memory: half a dozen small pieces for each stream, from the thread's pool.
#pragma once

#include <nghttp2/nghttp2.h>

namespace rproxy::http2 {

// Copied by who is given it.
nghttp2_mem* pooled_memory();

}  // namespace rproxy::http2
