#include "codec/sizing.h"

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_getCParams
#include <zstd.h>

#include <algorithm>
#include <bit>

namespace rproxy::codec {
namespace {

constexpr int kZlibWindowLogMin = 9;  // 8 is broken in zlib
constexpr int kZlibWindowLogMax = 15;
constexpr int kZlibLookahead = 262;  // what of its window zlib can't look back to
constexpr int kZstdWindowLogMin = 10;
constexpr int kZstdWindowLogMax = 23;  // RFC 9659 3
constexpr int kBrotliWindowLogMin = 16;
constexpr int kBrotliWindowLogMax = 24;  // RFC 7932 9.1
constexpr int kDictionaryWindowLogMax = 23;

// The smallest window that holds so much.
int log_of(std::uint64_t size) { return size <= 1 ? 0 : static_cast<int>(std::bit_width(size - 1)); }

Sizing zlib_sizing(const EncoderOptions& options, int level, int window_log_max) {
  int log = window_log_max;
  if (options.size_hint) log = std::min(log, log_of(*options.size_hint + kZlibLookahead));
  log = std::clamp(log, kZlibWindowLogMin, kZlibWindowLogMax);
  // As many symbols to a block as the window has bytes, up to zlib's usual 16384.
  return {level, log, std::min(8, log - 6)};
}

// The content is likely about as long as its dictionary; beyond the window it would lose sight of that.
int dictionary_window_log(const EncoderOptions& options, int window_log_max) {
  const std::uint64_t size = options.dictionary->bytes().size();
  const int allowed = static_cast<int>(std::bit_width(dictionary_window_max(size))) - 1;
  const int wanted = std::max(log_of(options.size_hint.value_or(size)), window_log_of(Coding::kZstd));
  return std::min({wanted, allowed, window_log_max});
}

Sizing zstd_sizing(const EncoderOptions& options, int level, int window_log_max) {
  auto parameters = ZSTD_getCParams(level, options.size_hint.value_or(0), 0);
  int log = 0;
  if (options.dictionary != nullptr) {
    log = std::max(dictionary_window_log(options, window_log_max), kZstdWindowLogMin);
  } else {
    const auto usual = static_cast<int>(parameters.windowLog);
    log = std::clamp(std::min(window_log_max, usual), kZstdWindowLogMin, kZstdWindowLogMax);
  }
  // Tables for a window that is not there would be up to 90 MB.
  parameters.windowLog = static_cast<unsigned>(log);
  parameters = ZSTD_adjustCParams(parameters, std::uint64_t{1} << parameters.windowLog, 0);
  return {level, log, 0, static_cast<int>(parameters.hashLog), static_cast<int>(parameters.chainLog)};
}

int brotli_window_log(const EncoderOptions& options, int window_log_max) {
  int log = window_log_max;
  if (options.dictionary != nullptr) {
    log = dictionary_window_log(options, log);
  } else if (options.size_hint) {
    log = std::min(log, log_of(*options.size_hint + 16));
  }
  return std::clamp(log, kBrotliWindowLogMin, kBrotliWindowLogMax);
}

}  // namespace

Levels levels_of(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return {1, 9, 1};
    case Coding::kBrotli:
      return {0, 11, 4};
    case Coding::kDcb:
      return {3, 11, 5};  // those below look at no dictionary
    case Coding::kZstd:
      return {1, 19, 1};
    case Coding::kDcz:
      return {1, 19, 3};  // those below see little of a large dictionary
    case Coding::kIdentity:
      break;
  }
  return {};
}

int window_log_of(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return kZlibWindowLogMax;
    case Coding::kBrotli:
      return 18;
    case Coding::kZstd:
      return 19;
    case Coding::kDcb:
    case Coding::kDcz:
      return kDictionaryWindowLogMax;
    case Coding::kIdentity:
      break;
  }
  return 0;
}

Sizing sizing_of(const EncoderOptions& asked) {
  EncoderOptions options = asked;
  // What is longer than any window is long; sums stay in range.
  if (options.size_hint) options.size_hint = std::min(*options.size_hint, std::uint64_t{1} << 40U);
  const Levels levels = levels_of(options.coding);
  const int level = std::clamp(options.level.value_or(levels.usual), levels.min, levels.max);
  const int window_log_max = options.window_log_max.value_or(window_log_of(options.coding));
  switch (options.coding) {
    case Coding::kGzip:
    case Coding::kDeflate:
      return zlib_sizing(options, level, window_log_max);
    case Coding::kZstd:
    case Coding::kDcz:
      return zstd_sizing(options, level, window_log_max);
    case Coding::kBrotli:
    case Coding::kDcb:
      return {level, brotli_window_log(options, window_log_max)};
    case Coding::kIdentity:
      break;
  }
  return {};
}

std::uint64_t dictionary_window_max(std::size_t dictionary_size) {
  constexpr std::uint64_t kLeast = 8'388'608;
  constexpr std::uint64_t kMost = 134'217'728;
  return std::clamp<std::uint64_t>(dictionary_size + dictionary_size / 4, kLeast, kMost);
}

}  // namespace rproxy::codec
