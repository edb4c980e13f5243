// Whether a stored answer is one to a request at all (RFC 9111 4), before its age is looked at.
#pragma once

#include <cstdint>
#include <optional>

#include "cache/entry.h"
#include "http/message.h"
#include "http/range.h"

namespace rproxy::cache {

enum class Misfit : std::uint8_t { kNone, kKey, kExtras, kPart, kVariant };

// `range`: a part that covers it will do.
Misfit misfit_of(const Meta& meta, const Key& key, const http::Fields& request,
                 const std::optional<http::RangeSpec>& range);

// The one range that a request can be answered with from a part.
std::optional<http::RangeSpec> wanted_range(const http::RequestHead& request);

}  // namespace rproxy::cache
