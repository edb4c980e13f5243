// A stream's content, both ways, as one end of a tunnel (RFC 8441).
#pragma once

#include "exchange/body.h"
#include "exchange/http2_stream.h"

namespace rproxy::exchange {

class Http2Tunnel final : public Tunnel {
 public:
  // `stream` outlives the tunnel.
  explicit Http2Tunnel(Http2Stream& stream) : stream_(stream) {}

  net::Task<Result<std::string_view>> read() override;
  net::Task<Result<void>> write(std::string_view bytes) override { return stream_.write({bytes, false}, nullptr); }
  void shutdown_write() override { stream_.offer({{}, true}, nullptr); }
  void abort() override { stream_.reset(http2::ErrorWord::kCancel); }

 private:
  Http2Stream& stream_;
  bool ended_ = false;
};

}  // namespace rproxy::exchange
