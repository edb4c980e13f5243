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

}  // namespace

std::string usage_reason(const CLI::App& app, const CLI::Error& error) {
  const auto parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  const std::vector<std::string> rest = app.remaining(true);
  const std::string first = rest.empty() ? "" : rest.front();
  if (first.starts_with('-')) return unknown("option", first.substr(0, first.find('=')), options_of(command));
  if (parsed.empty() && !first.empty()) {
    std::vector<std::string> names;
    for (const auto* each : app.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(each->get_name());
    return unknown("command", first, names);
  }
  if (parsed.empty()) return "a command is missing";
  if (!first.empty()) return "one argument too many: " + first;
  if (error.get_name() == "RequiredError") return "the CONFIG file is missing";
  return error.what();
}

bool is_for_nagios(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--format=nagios" || (word == "--format" && i + 1 < argc && argv[i + 1] == std::string_view("nagios")))
      return true;
  }
  return false;
}

std::string describe_usage_error(const CLI::App* app, const CLI::Error& error) {
  const auto parsed = app->get_subcommands();
  const std::string command = parsed.empty() ? "rproxy" : "rproxy " + parsed.front()->get_name();
  return fmt::format("{}: {}\nRun `{} --help` for what it takes.\n", command, usage_reason(*app, error), command);
}

}  // namespace rproxy::cli
