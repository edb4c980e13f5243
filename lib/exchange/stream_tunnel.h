// A connection's bytes as one end of a tunnel.
#pragma once

#include <cstddef>
#include <utility>

#include "exchange/body.h"
#include "net/stream.h"

namespace rproxy::exchange {

class StreamTunnel final : public Tunnel {
 public:
  // `stream` outlives the tunnel. What is in its input already belongs to the tunnel.
  // Nor is anything before it touched: the head it came with may still be read, until whoever holds it releases it.
  explicit StreamTunnel(net::Stream& stream) : stream_(stream) {}

  net::Task<Result<std::string_view>> read() override {
    stream_.consume(std::exchange(given_, 0));
    // Bytes that came before anybody waited may have gone with the head: only 0 is the end.
    while (stream_.input().empty()) {
      auto filled = co_await stream_.fill();
      if (!filled) co_return fail(std::move(filled.error()));
      if (*filled == 0) break;
    }
    given_ = stream_.input().size();
    co_return stream_.input();
  }

  net::Task<Result<void>> write(std::string_view bytes) override {
    auto sent = co_await stream_.write(bytes);
    if (!sent) co_return fail(std::move(sent.error()));
    co_return Result<void>();
  }

  void shutdown_write() override { stream_.shutdown_write(); }
  void abort() override { stream_.abort(false); }

 private:
  net::Stream& stream_;
  std::size_t given_ = 0;
};

}  // namespace rproxy::exchange
