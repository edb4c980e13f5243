// How large the buffers of a loop have to be.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/config.h"

namespace rproxy::server {

// Behind the longest head allowed there is still room for content.
constexpr std::uint64_t kContentRoom = 4096;

std::size_t buffer_size(const config::Config& config);

}  // namespace rproxy::server
