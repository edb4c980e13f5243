// What a coder takes at most, from how the libraries are made; tests hold it against what they take.
#define ZSTD_STATIC_LINKING_ONLY  // its estimates
#include <zstd.h>

#include <algorithm>
#include <array>

#include "codec/decoders.h"
#include "codec/encoders.h"
#include "codec/isal_encoder.h"
#include "codec/sizing.h"
#include "codec/zstd_decoder.h"

namespace rproxy::codec {
namespace {

constexpr std::size_t kKilobyte = 1024;
constexpr std::size_t kMegabyte = 1024 * kKilobyte;
constexpr int kWindowLogMax = 24;

constexpr std::size_t window(int log) { return std::size_t{1} << static_cast<unsigned>(log); }

// zlib's own words (zconf.h), its state, and five pieces.
std::size_t zlib_bound(const Sizing& sizing) {
  return window(sizing.window_log + 2) + window(sizing.memory_level + 9) + 8 * kKilobyte;
}

// zstd goes by one of four tables, by the size of the content: one that is given whole is known to be small.
std::size_t zstd_bound(const EncoderOptions& options, const Sizing& sizing) {
  std::size_t most = 0;
  for (const std::uint64_t size :
       {options.size_hint.value_or(0), std::uint64_t{16'384}, std::uint64_t{131'072}, std::uint64_t{262'144}}) {
    auto parameters = ZSTD_getCParams(sizing.level, size, 0);
    parameters.windowLog = static_cast<unsigned>(sizing.window_log);
    parameters.hashLog = static_cast<unsigned>(sizing.hash_log);
    parameters.chainLog = static_cast<unsigned>(sizing.chain_log);
    most = std::max(most, ZSTD_estimateCStreamSize_usingCParams(parameters));
  }
  return Memory::gross(most) + Memory::gross(8 * kKilobyte);
}

// Where it looks for what it has seen.
std::size_t brotli_hasher(const Sizing& sizing, bool is_long) {
  if (sizing.level < 4) return 256 * kKilobyte;
  if (sizing.level == 4) return is_long ? 4 * kMegabyte : kMegabyte / 2;
  if (sizing.level >= 10) return kMegabyte / 2 + 8 * window(sizing.window_log);
  if (sizing.window_log <= 16) return kMegabyte;
  const std::size_t table = 65 * kKilobyte << static_cast<unsigned>(sizing.level);
  return sizing.level < 7 && !is_long ? table / 2 : table;
}

// A block has up to two windows: the window itself twice, the output of a block, commands for an eighth of its bytes, and those again
// when their array grows. The rest is histograms.
std::size_t brotli_bound(const EncoderOptions& options, const Sizing& sizing) {
  const bool is_long = options.size_hint.value_or(0) >= kMegabyte;
  const int log = sizing.level < 2 ? std::max(sizing.window_log, 18) : sizing.window_log;
  std::size_t bound = brotli_hasher(sizing, is_long) + 14 * window(log) + 2 * kMegabyte;
  // From level 9 on it takes input by 256 KiB rather than 64; the search for the best way remembers all matches found in that.
  constexpr std::array<std::size_t, 3> kInputs{24, 36, 80};
  if (sizing.level >= 9) bound += kInputs[static_cast<std::size_t>(sizing.level - 9)] * window(std::min(log, 18));
  return bound;
}

}  // namespace

std::size_t memory_bound(const EncoderOptions& options) {
  const Sizing sizing = sizing_of(options);
  switch (options.coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return sizing.level <= IsalEncoder::kLevelMax ? IsalEncoder::memory_bound(sizing) : zlib_bound(sizing);
    case Coding::kBrotli:
    case Coding::kDcb:
      return brotli_bound(options, sizing);
    case Coding::kZstd:
    case Coding::kDcz:
      return zstd_bound(options, sizing);
    case Coding::kIdentity:
      break;
  }
  return 0;
}

std::size_t memory_bound(const DecoderOptions& options) {
  switch (options.coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return 48 * kKilobyte;
    case Coding::kBrotli:
    case Coding::kDcb: {
      // The window, half of it again while it grows, and 256 Huffman codes of each of three kinds.
      const auto whole = window(std::clamp(options.window_log_max.value_or(kWindowLogMax), 10, kWindowLogMax));
      return whole + whole * 3 / 4 + 4 * kMegabyte;
    }
    case Coding::kZstd:
    case Coding::kDcz:
      return Memory::gross(ZSTD_estimateDStreamSize(zstd_window_max(options))) + Memory::gross(ZSTD_estimateDCtxSize());
    case Coding::kIdentity:
      break;
  }
  return 0;
}

}  // namespace rproxy::codec
