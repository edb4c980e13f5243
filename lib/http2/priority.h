// How urgent a response is, and whether it is of use in parts (RFC 9218).
#pragma once

#include <nghttp2/nghttp2.h>

#include <string_view>

namespace rproxy::http2 {

constexpr nghttp2_extpri kDefaultPriority{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 0};

// A Priority field's value, "u=3, i". What it does not say, or what can't be read, is as in `otherwise`.
nghttp2_extpri read_priority(std::string_view text, nghttp2_extpri otherwise);

}  // namespace rproxy::http2
