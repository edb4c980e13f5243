// One call of a running proxy's admin endpoint, by its socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rproxy::cli {

struct AdminAnswer {
  std::uint16_t status = 0;
  std::string content;
};

// Waits at most five seconds for each piece. `content` empty: none is sent. Errors say what is wrong with the socket, or with what came of it.
Result<AdminAnswer> ask_admin(const std::string& socket, std::string_view method, std::string_view path,
                              std::string_view content);

}  // namespace rproxy::cli
