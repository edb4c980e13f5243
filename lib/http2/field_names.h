// Field names as HTTP/2 spells them (RFC 9113 8.2.1), in static storage.
#pragma once

#include <string_view>

#include "http/fields.h"

namespace rproxy::http2 {

// In lower case; empty for kOther.
std::string_view lower_case_name(http::FieldId id);

}  // namespace rproxy::http2
