// Who listens at the path of an admin socket, asked before another process puts its own there.
#pragma once

#include <string>

#include "base/result.h"

namespace rproxy::server {

// Nobody, or a proxy that drains and gives way to its successor. Blocks, about a second at most. Errors: kCannotBind, which names the
// process that is there.
Result<void> check_nobody_serves(const std::string& path);

}  // namespace rproxy::server
