// What a route's compression makes of an answer to a request.
#pragma once

#include <optional>
#include <string>

#include "filter/compression_options.h"
#include "http/fields.h"

namespace rproxy::check {

// Which coding the client would get, and of what. Nothing where it does not say what it takes, or nothing is coded.
std::optional<std::string> compression_step(const http::Fields& request, const filter::CompressionOptions& options);

}  // namespace rproxy::check
