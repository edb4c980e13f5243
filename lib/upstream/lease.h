// The right to ask an endpoint, from the pick to the end of the answer: first a place there, then a connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"
#include "upstream/capacity.h"
#include "upstream/endpoint.h"

namespace rproxy::upstream {

class EndpointPool;
class Http2Link;

// One request in flight at an endpoint, as long as it lives.
class Place {
 public:
  // Nothing where the endpoint, or the upstream, has as many as it takes.
  static std::optional<Place> take(EndpointPool& pool);
  Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), permit_(std::move(other.permit_)) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(pool_, other.pool_);
    permit_ = std::move(other.permit_);
    return *this;
  }
  ~Place();

  EndpointPool& pool() const { return *pool_; }
  // The right to make a connection for it, where that was taken with it; nothing else.
  void reserve(ConnectionPermit permit) { permit_ = std::move(permit); }
  ConnectionPermit take_permit() { return std::move(permit_); }

 private:
  explicit Place(EndpointPool& pool) : pool_(&pool) {}

  EndpointPool* pool_;  // null: moved from
  ConnectionPermit permit_;
};

// One HTTP/1 connection to an endpoint, idle in its pool or held by a Lease.
class Connection : public net::Pooled {
 public:
  Connection(EndpointPool& pool, ConnectionPermit permit, net::StreamPtr stream, std::string client_header)
      : pool_(pool),
        permit_(std::move(permit)),
        stream_(std::move(stream)),
        client_header_(std::move(client_header)),
        created_(stream_->loop().now()) {}

  net::Stream& stream() { return *stream_; }

 private:
  friend class EndpointPool;
  friend class Lease;

  EndpointPool& pool_;
  ConnectionPermit permit_;
  net::StreamPtr stream_;
  std::string client_header_;  // the PROXY header it began with: who may use it; empty: anybody
  TimePoint created_;
  TimePoint idle_since_;
  std::uint64_t requests_ = 0;
  Connection* newer_ = nullptr;  // neighbours in the idle list
  Connection* older_ = nullptr;
};

// The right to use a connection for one exchange: an HTTP/1 one alone, which goes back to the pool if keep() was called and is closed
// otherwise, or a share of an HTTP/2 one.
class Lease {
 public:
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) = delete;
  ~Lease();

  // HTTP/1's.
  net::Stream& stream() { return connection_->stream(); }
  // HTTP/2's; null: it is not.
  Http2Link* link() const { return link_; }
  // False for the first request on the connection.
  bool is_reused() const { return reused_; }
  // The exchange ended cleanly: the connection may serve another.
  void keep() { keep_ = true; }

 private:
  friend class EndpointPool;
  Lease(std::unique_ptr<Connection> connection, Place place);
  Lease(Http2Link& link, Place place);

  Place place_;
  std::unique_ptr<Connection> connection_;
  Http2Link* link_ = nullptr;
  bool reused_ = false;
  bool keep_ = false;
};

}  // namespace rproxy::upstream
