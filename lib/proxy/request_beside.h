// A request that is made a second time while the first is under way: it shares the client, the arena and the text, but has a head of its
// own, and the whole content again.
#pragma once

#include <memory>

#include "exchange/exchange.h"
#include "exchange/replay_body.h"

namespace rproxy::proxy {

class RequestBeside {
 public:
  // `content`: all of it, and its trailers, which outlive this as `first` does; null where there is none. Interim answers go nowhere: the
  // client's stream has one writer.
  RequestBeside(const exchange::Request& first, const exchange::ReplayBody* content);
  RequestBeside(const RequestBeside&) = delete;
  RequestBeside& operator=(const RequestBeside&) = delete;

  exchange::Request& request() { return request_; }

 private:
  std::unique_ptr<exchange::Body> content_;
  exchange::Request request_;
};

// `answer`, which reads of its request as long as it lives, made the owner of it.
std::unique_ptr<exchange::Body> with_request(std::unique_ptr<RequestBeside> beside,
                                             std::unique_ptr<exchange::Body> answer);

}  // namespace rproxy::proxy
