// What is counted of a disk store. Written and read by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace rproxy::storage {

struct DiskCounts {
  using Count = std::atomic<std::uint64_t>;
  Count objects{0};  // as far as they are known: all once scan_done
  Count bytes{0};    // of disk, in whole blocks
  Count hits{0};
  Count misses{0};
  Count writes{0};
  Count write_failures{0};
  Count read_failures{0};
  Count dropped{0};  // look-ups, reads and writes there was no room for, or no time
  Count damaged{0};
  Count evicted{0};
  Count purged{0};
  Count scanned{0};
  std::atomic<bool> scan_done{false};
};

}  // namespace rproxy::storage
