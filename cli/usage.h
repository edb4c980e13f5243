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

}  // namespace rproxy::cli
