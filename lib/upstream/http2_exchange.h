// The life of one exchange with an endpoint over HTTP/2: request out, interim and final heads in, and then the response's content.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/arena.h"
#include "exchange/body.h"
#include "exchange/exchange.h"
#include "exchange/http2_stream.h"
#include "upstream/pool.h"

namespace rproxy::upstream {

// Owns the lease. The response's head is text of this object's, so it lives as long as the response.
class Http2Exchange final : public exchange::Http2Stream, public exchange::Body {
 public:
  // `request`, `options` outlive the exchange. `total`: as of send().
  Http2Exchange(exchange::Request& request, Lease lease, const Options& options, Duration total);
  ~Http2Exchange() override;

  // Until the final response's head.
  net::Task<Result<void>> run(http::ResponseHead& head);

  // What follows is a tunnel's (RFC 8441), which may be silent for long.
  void be_tunnel();

  net::ValueTask<Result<exchange::Slice>> read() override { return Http2Stream::read(); }
  http::BodyLength length() const override { return length_; }
  const http::Fields* trailers() const override { return received_trailers(); }

 private:
  bool on_head(bool last) override;
  void on_closed() override { head_wait_.end(); }
  bool is_whole(std::uint32_t error, std::uint64_t content) const override;

  Result<void> open();
  net::Task<Result<void>> await_heads();
  net::Task<Result<void>> pass_interim();
  net::Task<void> pump();
  void start_pump();
  bool is_content_held_back() const { return request_.body != nullptr && !pump_.has_task(); }
  void arm(Duration timeout);
  void on_head_deadline();
  void on_total_timeout();
  void cut(Error error);
  Error failure(Error error) const;
  Error refusal() const;

  Arena texts_;
  Limits limits_;
  exchange::Request& request_;
  Lease lease_;
  const Options& options_;
  Http2Link& link_;
  http::ResponseHead head_;
  std::vector<http::ResponseHead> interim_;  // come and not yet passed on
  http::BodyLength length_;
  exchange::Http2Wait head_wait_;
  net::Deadline head_deadline_;
  net::Deadline total_;
  std::optional<Error> cut_;  // why we gave up
  net::Child<void> pump_;
  std::size_t interim_count_ = 0;
  bool has_head_ = false;
  bool is_late_ = false;  // the head, or the wish for content
};

}  // namespace rproxy::upstream
