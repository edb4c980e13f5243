// Who the client is, as far as it can be believed, and the request's id.
#pragma once

#include "exchange/exchange.h"
#include "exchange/request_ids.h"
#include "proxy/options.h"

namespace rproxy::proxy {

class ClientIdentity {
 public:
  // `options` outlives it. For one thread: the ids come from its own generator.
  explicit ClientIdentity(const ForwardingOptions& options) : options_(options) {}

  // Sets request.client_ip (the rightmost address that is no trusted proxy) and request.trace.request_id (a trusted peer's own, else a new
  // one of 128 random bits).
  void establish(exchange::Request& request);

  bool is_trusted(const exchange::Request& request) const;

 private:
  const ForwardingOptions& options_;
  exchange::RequestIds ids_;
};

}  // namespace rproxy::proxy
