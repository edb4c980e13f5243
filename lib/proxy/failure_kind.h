// Of how an attempt failed, the few kinds that are counted apart.
#pragma once

#include <optional>

#include "base/error.h"
#include "metrics/series.h"

namespace rproxy::proxy {

// Nothing where the endpoint has not failed, but the client or we.
std::optional<metrics::Failure> failure_kind(const Error& error);

}  // namespace rproxy::proxy
