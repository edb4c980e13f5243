// The life of one HTTP/1 exchange with an endpoint: request out, interim and final heads in, and then the response's content.
#pragma once

#include <memory>
#include <optional>

#include "base/arena.h"
#include "exchange/body.h"
#include "exchange/exchange.h"
#include "exchange/http1_body.h"
#include "exchange/http1_framing.h"
#include "upstream/pool.h"

namespace rproxy::upstream {

// Owns the lease. The response's head and content are views into the connection's buffer, so the connection goes back to its pool when
// this is destroyed, and only if both messages were complete.
class Http1Exchange final : public exchange::Body {
 public:
  Http1Exchange(exchange::Request& request, Lease lease, const Options& options, Duration total);
  ~Http1Exchange() override;

  // Until the final response's head.
  net::Task<Result<void>> run(http::ResponseHead& head);

  // After a 101.
  std::unique_ptr<exchange::Tunnel> into_tunnel() &&;

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override { return content_->length(); }
  const http::Fields* trailers() const override { return drops_trailers_ ? nullptr : content_->trailers(); }

 private:
  net::Task<Result<void>> begin_request(bool waits_for_continue);
  net::Task<Result<void>> send_head();
  net::Task<Result<void>> send_head_with_content();
  net::Task<void> pump();
  net::ValueTask<Result<exchange::Slice>> next_slice();
  net::Task<Result<void>> send_content();
  net::Task<Result<void>> send_slice(exchange::Slice slice, std::string_view before);
  net::Task<Result<void>> read_head(http::ResponseHead& head);
  net::Task<Result<void>> take_interim(http::ResponseHead& head);
  // Until the endpoint asks for it by a 100, or said nothing for too long.
  bool is_content_held_back() const { return request_.body != nullptr && !body_started_; }
  bool may_switch(const http::ResponseHead& head) const;
  std::string_view serialize_head();
  void start_pump();
  void on_total_timeout();
  Error failure(Error error) const;

  exchange::Request& request_;
  Lease lease_;
  const Options& options_;
  net::Stream& stream_;
  Arena arena_;  // the answer's trailers
  exchange::Http1Framing framing_;
  exchange::Http1Content::Limits content_limits_;
  std::optional<exchange::Http1Content> content_;
  std::optional<net::ValueTask<Result<exchange::Slice>>> first_slice_;  // asked for with the head, not there yet
  net::Child<void> pump_;
  std::optional<Error> cut_;  // why we aborted the connection
  net::Deadline total_;
  bool request_complete_ = false;
  bool sent_anything_ = false;
  bool body_started_ = false;
  bool answer_begun_ = false;
  bool keep_alive_ = false;
  bool drops_trailers_ = false;
  std::size_t interim_count_ = 0;
};

}  // namespace rproxy::upstream
