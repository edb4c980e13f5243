// Connecting to an upstream's endpoint.
#pragma once

#include <functional>

#include "base/result.h"
#include "base/units.h"
#include "net/loop.h"
#include "net/socket_address.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::net {

// A connected TCP (TCP_NODELAY) or Unix stream. Errors: kConnectRefused, kUnreachable, kConnectTimeout, kOutOfDescriptors (Side::kLocal),
// kConnectFailed; Side::kUpstream and Retry::kSafe unless said otherwise. `timeout` 0: the kernel's.
Task<Result<StreamPtr>> connect(Loop& loop, SocketAddress address, Duration timeout);

// Where a pool gets its connections from: connect(), or a simulated network.
using Connect = std::function<Task<Result<StreamPtr>>(Loop&, SocketAddress, Duration)>;

}  // namespace rproxy::net
