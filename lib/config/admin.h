// What an operator chooses about the admin endpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"

namespace rproxy::config {

struct Admin {
  std::string socket;              // of the file system; empty: none
  std::optional<HostPort> listen;  // TCP
  std::string token;               // required by TCP
  std::uint64_t max_series = 1000;

  bool is_on() const { return !socket.empty() || listen; }
  bool operator==(const Admin&) const = default;
};

}  // namespace rproxy::config
