// Who the client is, as far as it can be believed, and the request's id.
#pragma once

#include <cstdint>

#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::proxy {

class ClientIdentity {
 public:
  // `options` outlives it. One per worker: the ids come from its own generator.
  explicit ClientIdentity(const ForwardingOptions& options);

  // Sets request.client_ip (the rightmost address that is no trusted proxy) and request.trace.request_id (a trusted peer's own, else a new
  // one of 128 random bits).
  void establish(exchange::Request& request);

  bool is_trusted(const exchange::Request& request) const;

 private:
  std::string_view make_request_id(Arena& arena);

  const ForwardingOptions& options_;
  std::uint64_t state_[2];
};

}  // namespace rproxy::proxy
