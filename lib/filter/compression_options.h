// What is done to contents on their way: coded for clients that take it, decoded for who does not.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "http/content_coding.h"

namespace rproxy::filter {

inline constexpr std::array kUsualCodings{http::Coding::kZstd, http::Coding::kBrotli, http::Coding::kGzip,
                                          http::Coding::kDeflate};

// Answers that serve as dictionaries for later ones (RFC 9842).
struct DictionaryOptions {
  bool enabled = false;
  std::string match;          // paths that an answer is a dictionary for, "*" for anything; empty: its own
  std::string id;             // told to clients, who say it again
  ByteSize size_max = 1_MiB;  // larger answers are none
  bool operator==(const DictionaryOptions&) const = default;
};

// Of one route.
struct CompressionOptions {
  bool enabled = true;
  // Those on offer, the most welcome first: it decides where a client likes several as much.
  std::vector<http::Coding> codings{kUsualCodings.begin(), kUsualCodings.end()};
  std::vector<std::string> types;  // patterns; empty: those that are known to shrink
  ByteSize min_length = 1_KiB;     // shorter contents stay as they are, where the length is known
  std::array<std::optional<int>, http::kCodingCount> levels;  // none: the coding's usual one
  DictionaryOptions dictionary;
  ByteSize padding{0};     // up to so many bytes that mean nothing, at random, so that a length tells less (BREACH)
  bool offload = false;    // upstreams are asked for contents as they are
  bool decompress = true;  // decode for clients that don't take what the upstream sent
  bool decompress_requests = false;  // decode what clients send
  bool operator==(const CompressionOptions&) const = default;
};

// Of the whole process.
struct CompressionLimits {
  ByteSize memory = 256_MiB;       // for what is being coded and decoded at once, of each worker
  ByteSize dictionaries = 64_MiB;  // for all dictionaries of the process, with what is made of them
  Duration slow_at{20};            // from such a turn of the loop on the lowest levels
  Duration stop_at{100};           // and from such a one on nothing is coded
  std::uint32_t ratio_max = 200;   // of what is decoded to what came, beyond the first MiB: more is an attack
  bool operator==(const CompressionLimits&) const = default;
};

}  // namespace rproxy::filter
