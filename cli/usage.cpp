#include "cli/usage.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <vector>

#include "config/diagnostic.h"

namespace rproxy::cli {
namespace {

std::string unknown(std::string_view kind, const std::string& word, const std::vector<std::string>& known) {
  const std::string near = config::nearest(word, known);
  return fmt::format("there is no {} {}{}", kind, word, near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The command, or the command of a command, that was said.
const CLI::App& deepest(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

}  // namespace

std::string usage_reason(const CLI::App& app, const CLI::Error& error) {
  const CLI::App& command = deepest(app);
  const auto commands = command.get_subcommands([](const CLI::App*) { return true; });
  const std::vector<std::string> rest = app.remaining(true);
  const std::string first = rest.empty() ? "" : rest.front();
  if (first.starts_with('-')) return unknown("option", first.substr(0, first.find('=')), options_of(command));
  if (!commands.empty() && !first.empty()) {
    std::vector<std::string> names;
    for (const auto* each : commands) names.push_back(each->get_name());
    return unknown("command", first, names);
  }
  if (!commands.empty()) return "a command is missing";
  if (!first.empty()) return "one argument too many: " + first;
  if (error.get_name() == "RequiredError") return "the CONFIG file is missing";
  return error.what();
}

std::string nagios_service(int argc, char** argv) {
  if (argc > 2 && argv[1] == std::string_view("cert") && argv[2] == std::string_view("check")) return "CERT";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--format=nagios" || (word == "--format" && i + 1 < argc && argv[i + 1] == std::string_view("nagios")))
      return "HEALTH";
  }
  return {};
}

std::string describe_usage_error(const CLI::App* app, const CLI::Error& error) {
  std::string command = "rproxy";
  for (const CLI::App* each = app; !each->get_subcommands().empty();) {
    each = each->get_subcommands().front();
    command += " " + each->get_name();
  }
  return fmt::format("{}: {}\nRun `{} --help` for what it takes.\n", command, usage_reason(*app, error), command);
}

}  // namespace rproxy::cli
