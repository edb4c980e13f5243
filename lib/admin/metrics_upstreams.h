#pragma once

#include "admin/subject.h"
#include "metrics/text.h"

namespace rproxy::admin {

// What is told of upstreams as a whole: at most `max` of them by their own name.
void put_upstreams(metrics::Text& text, const Serving& serving, std::size_t max, TimePoint now);

}  // namespace rproxy::admin
