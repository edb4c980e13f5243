// All that is counted, as Prometheus reads it.
#pragma once

#include <string>

#include "admin/subject.h"

namespace rproxy::admin {

// The series of what is over config.admin.max_series go by this name.
constexpr const char* kOtherSeries = "_other";
// Requests that no route has taken.
constexpr const char* kNoRoute = "_none";

std::string metrics_page(const Subject& subject, TimePoint now);

}  // namespace rproxy::admin
