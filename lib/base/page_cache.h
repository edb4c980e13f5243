// What can be had of a file without waiting for a disk: only what the page cache has for certain.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rproxy {

// How many bytes of that part are in `out` now; -1 where none can be had at once, be it that the file system can't tell.
std::int64_t read_if_cached(int file, std::uint64_t offset, char* out, std::size_t size);

// Whether sending that part, of at least a byte, is unlikely to wait. The disk is read ahead: where both ends are there, so very likely is
// what lies between.
bool is_cached(int file, std::uint64_t offset, std::uint64_t size);

}  // namespace rproxy
