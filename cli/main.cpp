// rproxy: the table of commands.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/nagios.h"
#include "cli/usage.h"

int main(int argc, char** argv) {
  using namespace rproxy::cli;
  CLI::App app("rproxy: the reverse proxy toolkit", "rproxy");
  app.failure_message(describe_usage_error);
  app.set_version_flag("--version", "rproxy " RPROXY_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);

  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_serve(app));
  commands.push_back(make_route_check(app));
  commands.push_back(make_health(app));
  commands.push_back(make_cache_inspect(app));
  commands.push_back(make_cert(app));

  int code = kUsage;
  // Nagios reads standard output alone, and knows 1 and 2 for something else.
  const std::string service = nagios_service(argc, argv);
  const bool is_nagios = !service.empty();
  std::string unknown;
  try {
    app.parse(argc, argv);
    const auto all = app.get_subcommands([](CLI::App*) { return true; });
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (all[i]->parsed()) code = commands[i]->run();
    }
  } catch (const CLI::ParseError& error) {
    code = app.exit(error) == 0 ? kOk : kUsage;
    if (code != kOk) unknown = usage_reason(app, error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "rproxy: {}\n", error.what());
    code = kRuntime;
    unknown = error.what();
  }
  if (is_nagios && !unknown.empty()) {
    fmt::print("{}", nagios::unknown(service, unknown));
    code = kNagiosUnknown;
  }
  // A full disk shows here at the latest.
  if (std::fflush(stdout) != 0) {
    fmt::print(stderr, "rproxy: can't write the output: {}\n", std::strerror(errno));
    if (is_nagios) code = kNagiosUnknown;
    if (code == kOk) code = kRuntime;
  }
  return code;
}
