// One HTTP/2 connection to an endpoint, shared by as many exchanges as the server allows. Its pool owns it, the leases on it use it.
#pragma once

#include <cstdint>

#include "exchange/http2_connection.h"
#include "net/deadline_wheel.h"
#include "upstream/capacity.h"
#include "upstream/options.h"

namespace rproxy::upstream {

class EndpointPool;

class Http2Link final : public exchange::Http2Connection {
 public:
  // `pool` and `options` outlive the link.
  Http2Link(EndpointPool& pool, ConnectionPermit permit, net::StreamPtr stream, const Options& options);
  ~Http2Link() override = default;

  // Until the server has said what it allows, which also proves that it speaks HTTP/2. Errors: kConnectFailed, kHandshakeTimeout.
  net::Task<Result<void>> greet(Duration timeout);

  // Keeps it in place, as a lease does, but leaves its room to others.
  class Hold {
   public:
    explicit Hold(Http2Link& link) : link_(link) { ++link_.holds_; }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      --link_.holds_;
      link_.end_use();
    }

   private:
    Http2Link& link_;
  };

  // Another exchange may begin.
  bool has_room() const;
  // The server lets exchanges begin, though perhaps not just now.
  bool takes_requests() const;
  // No exchange begins any more; it ends with the last one under way.
  void retire();
  bool is_dead() const { return dead_; }
  bool is_used() const { return leases_ + holds_ > 0; }
  std::uint64_t requests() const { return requests_; }

  // An exchange waited in vain: if the server does not answer a PING either, the connection is given up.
  void suspect();
  // Called about once a second.
  void check(TimePoint now);

 private:
  friend class Lease;

  void on_round() override;
  net::Task<void> read();
  void begin_lease();
  void end_lease();
  void end_use();
  void close();
  void on_greet_deadline();
  void on_ping_deadline();

  EndpointPool& pool_;
  ConnectionPermit permit_;
  const Options& options_;
  TimePoint created_;
  TimePoint idle_since_;
  std::size_t leases_ = 0;
  std::size_t holds_ = 0;
  std::uint64_t requests_ = 0;
  exchange::Http2Wait greeted_;
  net::Deadline greet_deadline_;
  net::Deadline ping_deadline_;
  std::uint64_t pongs_before_ = 0;
  bool retired_ = false;
  bool dead_ = false;
  bool greet_expired_ = false;
  bool abuse_told_ = false;
  net::Child<void> reader_;
};

}  // namespace rproxy::upstream
