// Certificates of servers that are asked for them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cert.h"
#include "scan/target.h"
#include "scan/tls_client.h"

namespace rproxy::cli {

struct RemoteOptions {
  std::string server_name;
  std::string timeout = "5s";

  void add_to(CLI::App& command);
  Duration limit() const;  // throws CertFailure
};

// "shop.com:443", "[::1]:8443", "unix:/run/a.sock", "https://shop.com"; nothing where a file has that name, or it is none of these.
std::optional<HostPort> parse_server(const std::string& where);
// For messages, where it is neither a file nor a server.
[[noreturn]] void fail_neither(const std::string& where);

// Connects, and shows what it saw. Throws CertFailure.
scan::Seen fetch(const std::string& where, const HostPort& address, const RemoteOptions& options);
// One of many to look at: by an address, or where one has been found already.
struct Wanted {
  HostPort address;
  std::string server_name;
  std::optional<net::SocketAddress> found{};
  std::string greeting{};  // before TLS
};
// Several at once; errors in their places, in the order of `wanted`.
std::vector<Result<scan::Seen>> fetch_all(const std::vector<Wanted>& wanted, Duration limit);

}  // namespace rproxy::cli
