// How long one exchange may take: as the route says, or as a gRPC client does by grpc-timeout, where that is shorter.
#pragma once

#include <chrono>
#include <optional>

#include "exchange/exchange.h"

namespace rproxy::proxy {

class TimeLimit {
 public:
  // `route` 0: no limit of its own. Nothing where a gRPC request's grpc-timeout can't be read.
  static std::optional<TimeLimit> of(const exchange::Request& request, Duration route);

  // From the request's start; 0: none. Not for a limit that had passed from the first.
  Duration total() const { return std::chrono::ceil<Duration>(total_); }
  TimePoint end() const { return is_limited_ ? start_ + total_ : TimePoint::max(); }
  bool has_passed(TimePoint now) const { return now >= end(); }
  // At least a millisecond; 0: no limit.
  Duration left(TimePoint now) const;
  // What a limit that has passed fails with. A client's own says nothing about the endpoint that it did not wait for.
  Error error() const;

  // Lets the upstream know what is left, where the client has told how long it waits.
  void tell(exchange::Request& request, TimePoint now) const;

 private:
  TimePoint start_;
  std::chrono::microseconds total_{0};
  bool is_limited_ = false;
  bool is_clients_ = false;
  bool is_told_ = false;  // there is a grpc-timeout
};

}  // namespace rproxy::proxy
