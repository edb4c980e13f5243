// Which server the hash policy gives a request to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "upstream/options.h"

namespace rproxy::check {

// While all of them serve and have room; nothing by another policy, or where addresses have to be looked up first.
std::optional<std::string> server_by_hash(const upstream::Options& upstream, std::uint64_t hash);

}  // namespace rproxy::check
