// The upstream end of a WebSocket over HTTP/2 (RFC 8441).
#pragma once

#include <memory>
#include <utility>

#include "exchange/http2_tunnel.h"
#include "upstream/http2_exchange.h"

namespace rproxy::upstream {

class Http2Tunnel final : public exchange::Tunnel {
 public:
  explicit Http2Tunnel(std::unique_ptr<Http2Exchange> exchange) : exchange_(std::move(exchange)), end_(*exchange_) {}

  net::Task<Result<std::string_view>> read() override { return end_.read(); }
  net::Task<Result<void>> write(std::string_view bytes) override { return end_.write(bytes); }
  void shutdown_write() override { end_.shutdown_write(); }
  void abort() override { end_.abort(); }

 private:
  std::unique_ptr<Http2Exchange> exchange_;
  exchange::Http2Tunnel end_;
};

}  // namespace rproxy::upstream
