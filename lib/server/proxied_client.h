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

// Who comes otherwise than agreed fails with each connection: the log tells of the first in a second, and then how many more there were. For
// one worker.
class Complaints {
 public:
  // `what` lasts, such as "no PROXY header".
  explicit Complaints(const char* what) : what_(what) {}
  void add(const net::Peer& peer, const Error& error, TimePoint now);

 private:
  const char* what_;
  TimePoint told_;
  std::uint64_t untold_ = 0;
};

}  // namespace rproxy::server
