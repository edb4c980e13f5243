// What `rproxy health --url` probes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "upstream/options.h"

namespace rproxy::cli {

// "http://host:port/path", and https, tcp, tls, grpc and grpcs; an upstream of that name, with one server. Errors: kConfig.
Result<upstream::Options> health_target(const std::string& url);

}  // namespace rproxy::cli
