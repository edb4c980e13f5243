#include "scan/target.h"

#include <fmt/format.h>

#include <utility>

#include "net/resolver.h"

namespace rproxy::scan {

net::Task<Result<Target>> find_target(net::Loop& loop, HostPort address, std::string server_name, Duration timeout) {
  Target target;
  target.timeout = timeout;
  target.server_name = server_name.empty() && address.kind != HostPort::Kind::kUnix ? address.host : server_name;
  HostPort found = address;
  if (address.kind == HostPort::Kind::kName) {
    net::Resolver resolver(loop, {});
    auto answer = co_await resolver.resolve(address.host, net::Resolver::Family::kAny);
    if (!answer) co_return fail(std::move(answer.error()));
    found.kind = HostPort::Kind::kIp;
    found.ip = answer->addresses.front();
    found.host = found.ip.to_string();
  }
  const auto socket = net::to_socket_address(found);
  if (!socket || (address.port == 0 && address.kind != HostPort::Kind::kUnix))
    co_return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                   fmt::format("{} names no host and port", address.to_string()));
  target.address = *socket;
  target.label = found.to_string();
  co_return target;
}

}  // namespace rproxy::scan
