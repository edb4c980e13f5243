// rproxy: the table of commands.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "cli/command.h"

int main(int argc, char** argv) {
  using namespace rproxy::cli;
  CLI::App app("rproxy: the reverse proxy toolkit");
  app.set_version_flag("--version", "rproxy " RPROXY_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);

  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(make_serve(app));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  try {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      if (app.get_subcommands([](CLI::App*) { return true; })[i]->parsed()) return commands[i]->run();
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "rproxy: {}\n", error.what());
    return kRuntime;
  }
  return kUsage;
}
