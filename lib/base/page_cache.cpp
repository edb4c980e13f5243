#include "base/page_cache.h"

#include <sys/uio.h>

namespace rproxy {

std::int64_t read_if_cached(int file, std::uint64_t offset, char* out, std::size_t size) {
  const iovec room{out, size};
  return ::preadv2(file, &room, 1, static_cast<off_t>(offset), RWF_NOWAIT);
}

bool is_cached(int file, std::uint64_t offset, std::uint64_t size) {
  char byte = 0;
  return read_if_cached(file, offset + size - 1, &byte, 1) == 1 && read_if_cached(file, offset, &byte, 1) == 1;
}

}  // namespace rproxy
