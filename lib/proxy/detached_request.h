// A copy of a request that goes on without its client, which may leave, and without its connection, which takes the next one.
#pragma once

#include "base/arena.h"
#include "exchange/exchange.h"

namespace rproxy::proxy {

class DetachedRequest {
 public:
  // The head is copied, the content is not.
  explicit DetachedRequest(const exchange::Request& of);
  DetachedRequest(const DetachedRequest&) = delete;
  DetachedRequest& operator=(const DetachedRequest&) = delete;

  exchange::Request& request() { return request_; }
  Arena& arena() { return arena_; }

 private:
  Arena arena_;
  exchange::Client client_;
  exchange::Request request_;
};

}  // namespace rproxy::proxy
