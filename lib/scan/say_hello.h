// One hello, one answer.
#pragma once

#include "base/result.h"
#include "net/loop.h"
#include "net/task.h"
#include "scan/hello.h"
#include "scan/target.h"

namespace rproxy::scan {

// On a connection of its own. kOther where the server ends it, or says something that is not TLS. Errors: of connecting, and kReadTimeout where it
// says nothing; never longer than the target's timeout.
net::Task<Result<ServerAnswer>> say_hello(net::Loop& loop, Target target, ClientHello hello);

}  // namespace rproxy::scan
