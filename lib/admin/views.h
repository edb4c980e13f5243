// The proxy's state as JSON.
#pragma once

#include "admin/answer.h"
#include "admin/subject.h"

namespace rproxy::admin {

// "2026-01-02T03:04:05Z"
std::string iso_time(std::chrono::system_clock::time_point time);

// Why the proxy should get no new requests; empty: it should. While some upstream can serve it is worth asking.
std::string unready_reason(const Subject& subject, TimePoint now);

Json status_view(const Subject& subject, TimePoint now);
Json endpoint_view(const upstream::Endpoint& endpoint, TimePoint now);
Json upstream_view(const upstream::Upstream& upstream, TimePoint now);
Json upstreams_view(const Serving& serving, TimePoint now);

}  // namespace rproxy::admin
