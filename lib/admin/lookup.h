// Upstreams and endpoints by the names that a path has for them.
#pragma once

#include "admin/actions.h"
#include "base/result.h"

namespace rproxy::admin {

// The answer where there is none, or more than one.
template <typename T>
using Found = tl::expected<T, Answer>;

Found<std::shared_ptr<upstream::Upstream>> find_upstream(const Call& call);
// By its address, or by what the configuration calls it where that is one endpoint only.
Found<upstream::EndpointPtr> find_endpoint(const Call& call);

}  // namespace rproxy::admin
