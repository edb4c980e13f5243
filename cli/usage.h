// What is said of a command line that can't be taken.
#pragma once

#include <string>

namespace CLI {
class App;
class Error;
}  // namespace CLI

namespace rproxy::cli {

// Names the argument and the nearest one there is; ends in a newline. For App::failure_message().
std::string describe_usage_error(const CLI::App* app, const CLI::Error& error);

// As what Nagios is to read what comes out, to which any failure is "unknown"; of a command line that may be wrong otherwise. Empty: it is not.
std::string nagios_service(int argc, char** argv);
// What was wrong with the command line, in one line.
std::string usage_reason(const CLI::App& app, const CLI::Error& error);

}  // namespace rproxy::cli
