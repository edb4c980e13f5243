// Limits of an HTTP/2 connection, whichever side of it is ours.
#pragma once

#include <cstdint>

#include "base/units.h"

namespace rproxy::http2 {

// What a peer may cost before the connection ends with ENHANCE_YOUR_CALM. A budget fills with time up to its burst.
struct AbuseLimits {
  std::uint32_t frame_burst =
      2000;                        // frames that carry no work: SETTINGS, PING, PRIORITY, empty DATA, WINDOW_UPDATE...
  std::uint32_t frame_rate = 200;  // a second; work done gives more
  std::uint32_t reset_burst =
      200;                        // streams given up before they were answered (CVE-2023-44487), by either side's error
  std::uint32_t reset_rate = 20;  // a second; each answer gives one more
  bool operator==(const AbuseLimits&) const = default;
};

struct Options {
  std::uint32_t max_streams = 100;       // at once, of the peer's making
  ByteSize stream_window = 128_KiB;      // content in flight, and held, for a stream
  ByteSize connection_window = 1_MiB;    // content in flight for all; credited as it comes
  std::uint32_t max_frame_size = 16384;  // that we take
  ByteSize header_table = 4_KiB;         // HPACK, each way
  std::uint32_t max_continuations = 8;   // frames that one header section may go on for (CVE-2024-27316)
  AbuseLimits abuse;
  bool operator==(const Options&) const = default;
};

}  // namespace rproxy::http2
