// A connection's bytes as one end of a tunnel.
#pragma once

#include <cstddef>

#include "exchange/body.h"
#include "net/stream.h"

namespace rproxy::exchange {

class StreamTunnel final : public Tunnel {
 public:
  // `stream` outlives the tunnel. What is in its input already belongs to the tunnel; what lies before that is not touched: the head it
  // came with may still be read, until whoever holds it releases it.
  explicit StreamTunnel(net::Stream& stream) : stream_(stream) {}

  net::Task<Result<std::string_view>> read() override;
  net::Task<Result<void>> write(std::string_view bytes) override;
  void shutdown_write() override { stream_.shutdown_write(); }
  void abort() override { stream_.abort(false); }

 private:
  net::Stream& stream_;
  std::size_t given_ = 0;
};

}  // namespace rproxy::exchange
