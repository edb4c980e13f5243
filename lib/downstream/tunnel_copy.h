// After an upgrade the exchange belongs to another protocol: bytes go both ways until both sides have ended, or nothing moved for too long.
#pragma once

#include <cstdint>

#include "exchange/body.h"
#include "net/deadline_wheel.h"
#include "net/loop.h"
#include "net/task.h"

namespace rproxy::downstream {

class TunnelCopy {
 public:
  // All outlive the copy. `timeout`: silence both ways; 0 for ever.
  TunnelCopy(exchange::Tunnel& client, exchange::Tunnel& upstream, net::Loop& loop, Duration timeout)
      : client_(client), upstream_(upstream), loop_(loop), timeout_(timeout) {}
  TunnelCopy(const TunnelCopy&) = delete;
  TunnelCopy& operator=(const TunnelCopy&) = delete;

  net::Task<void> run();

  std::uint64_t bytes_to_client() const { return to_client_; }
  std::uint64_t bytes_to_upstream() const { return to_upstream_; }
  bool has_timed_out() const { return timed_out_; }

 private:
  net::Task<void> copy(exchange::Tunnel& from, exchange::Tunnel& to, std::uint64_t& count);
  void moved() { silence_.arm(loop_.wheel(), timeout_); }
  void give_up();
  void end();

  exchange::Tunnel& client_;
  exchange::Tunnel& upstream_;
  net::Loop& loop_;
  Duration timeout_;
  std::uint64_t to_client_ = 0;
  std::uint64_t to_upstream_ = 0;
  bool timed_out_ = false;
  net::Deadline silence_{[](void* self) { static_cast<TunnelCopy*>(self)->give_up(); }, this};
};

}  // namespace rproxy::downstream
