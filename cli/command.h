// What a subcommand is to main: a name, flags, and something to run.
#pragma once

#include <memory>

namespace CLI {
class App;
}

namespace rproxy::cli {

// Every subcommand ends with one of these; the man page lists them.
enum ExitCode : int { kOk = 0, kRuntime = 1, kUsage = 2, kConfiguration = 3, kCannotBind = 4 };
// Of route-check, where 2 is what can't be read, and a command line that can't be.
constexpr int kFindings = 1;
// Of plugins for Nagios, where 1 and 2 say something of what was looked at.
constexpr int kNagiosUnknown = 3;

class Command {
 public:
  virtual ~Command() = default;
  virtual int run() = 0;
};

// Adds the subcommand to `app`; its flags are filled in by parsing.
std::unique_ptr<Command> make_serve(CLI::App& app);
std::unique_ptr<Command> make_health(CLI::App& app);
std::unique_ptr<Command> make_route_check(CLI::App& app);
std::unique_ptr<Command> make_cache_inspect(CLI::App& app);
std::unique_ptr<Command> make_cert(CLI::App& app);

}  // namespace rproxy::cli
