// A program that is run for its effect.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace rproxy::acme {

struct Hook {
  std::vector<std::string> arguments;    // the program first, looked for in PATH
  std::vector<std::string> environment;  // beside this process's
  Duration timeout{120'000};
};

// Waits for its end. Errors: kFile where it can't be started; kInternal where it fails, does not end in time (it and all that it has started
// are killed), with the last line it has written to stderr.
Result<void> run_hook(const Hook& hook);

}  // namespace rproxy::acme
