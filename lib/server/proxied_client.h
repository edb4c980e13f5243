// Who the client is where a PROXY header tells.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/units.h"
#include "exchange/exchange.h"

namespace rproxy::server {

// What client.proxy_header says goes over what the connection shows: addresses, and whether and how the client came over TLS. To be done
// again when more is known of the connection.
void believe_proxy_header(exchange::Client& client);

// A proxy that speaks otherwise than agreed fails with each connection: the log tells of the first in a second, and then how many more
// there were. For one worker.
class ProxyHeaderComplaints {
 public:
  void add(const net::Peer& peer, const Error& error, TimePoint now);

 private:
  TimePoint told_;
  std::uint64_t untold_ = 0;
};

}  // namespace rproxy::server
