// Range requests (RFC 9110 14): which bytes a client asks for, and which an answer brings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace rproxy::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive
  std::uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

struct RequestedRanges {
  // kIgnored: another unit, malformed, too many, or so that they would cost more than the whole; the answer is the whole then.
  enum class Kind : std::uint8_t { kIgnored, kSatisfiable, kUnsatisfiable };
  Kind kind = Kind::kIgnored;
  std::vector<ByteRange>
      ranges;  // in the client's order, within the representation; those that can't be met are left out
};

// Of a representation of `size` bytes; more than `most` ranges are ignored.
RequestedRanges read_ranges(std::string_view value, std::uint64_t size, std::size_t most);

// The one range of such a value as it was written, where it is one alone and in bytes: first and last, or one of both.
struct RangeSpec {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;  // without first: so many of the end
};
std::optional<RangeSpec> read_single_range(std::string_view value);

struct ContentRange {
  ByteRange range;
  std::optional<std::uint64_t> size;  // of the whole; nothing: "*"
};
// Nothing for other units, malformed ones, and the unsatisfied "bytes */10".
std::optional<ContentRange> parse_content_range(std::string_view value);

// "bytes 0-4/10", in the arena.
std::string_view content_range_text(const ByteRange& range, std::uint64_t size, Arena& arena);
// "bytes */10"
std::string_view unsatisfied_range_text(std::uint64_t size, Arena& arena);

}  // namespace rproxy::http
