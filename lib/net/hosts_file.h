// The system's list of names that need no server.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace rproxy::net {

// All addresses that `text`, in the form of /etc/hosts, gives the name; lines that are none are passed over.
std::vector<IpAddress> find_host(std::string_view text, std::string_view name);
// The same for a file, of which at most the first MiB is read. "localhost" is always known (RFC 6761 6.3).
std::vector<IpAddress> find_host_in_file(const std::string& path, std::string_view name);

}  // namespace rproxy::net
