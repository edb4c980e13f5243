// A Meta as bytes, in files: a version, then its members in their order, little-endian, texts and lists with their lengths before them.
// There is one encoding of each Meta, and what is not exactly one is none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cache/entry.h"

namespace rproxy::cache {

// Bytes. Heads are far smaller; it bounds what is read on the word of a file.
constexpr std::size_t kEncodedMetaMax = 1 << 20;

// Nothing where it would be larger than that, or lists more than is read again.
std::optional<std::string> encode(const Meta& meta);

// Nothing for anything else, whatever it is.
std::optional<Meta> decode_meta(std::string_view bytes);

}  // namespace rproxy::cache
