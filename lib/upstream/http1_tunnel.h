// The upstream end of an upgraded HTTP/1 connection.
#pragma once

#include "exchange/stream_tunnel.h"
#include "upstream/pool.h"

namespace rproxy::upstream {

class Http1Tunnel final : public exchange::Tunnel {
 public:
  explicit Http1Tunnel(Lease lease) : lease_(std::move(lease)), end_(lease_.stream()) { lease_.stream().release(); }

  net::Task<Result<std::string_view>> read() override { return end_.read(); }
  net::Task<Result<void>> write(std::string_view bytes) override { return end_.write(bytes); }
  void shutdown_write() override { end_.shutdown_write(); }
  void abort() override { end_.abort(); }

 private:
  Lease lease_;
  exchange::StreamTunnel end_;
};

}  // namespace rproxy::upstream
