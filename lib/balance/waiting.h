// That a request has gone to an endpoint and nothing has come back yet: how long it has counts against the endpoint meanwhile.
#pragma once

#include <utility>

#include "balance/endpoint.h"

namespace rproxy::balance {

class Waiting {
 public:
  Waiting(EndpointState& state, TimePoint now) : state_(&state), ticket_(state.begin_waiting(now)) {}
  Waiting(Waiting&& other) noexcept : state_(std::exchange(other.state_, nullptr)), ticket_(other.ticket_) {}
  Waiting& operator=(Waiting&&) = delete;
  ~Waiting() {
    if (state_ != nullptr) state_->end_waiting(ticket_);
  }

 private:
  EndpointState* state_;
  std::uint64_t ticket_;
};

}  // namespace rproxy::balance
