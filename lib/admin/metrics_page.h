// All that is counted, as Prometheus reads it.
#pragma once

#include <string>

#include "admin/subject.h"

namespace rproxy::admin {

// Requests that no route has taken.
constexpr const char* kNoRoute = "_none";

std::string metrics_page(const Subject& subject, TimePoint now);

}  // namespace rproxy::admin
