// One request and its response on a stream of an HTTP/2 client connection.
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "downstream/http1_server.h"
#include "exchange/exchange.h"
#include "exchange/http2_stream.h"

namespace rproxy::downstream {

class Http2ServerConnection;

class Http2Exchange final : public exchange::Http2Stream, private exchange::InterimSink, public net::Pooled {
 public:
  Http2Exchange(Http2ServerConnection& connection, Context& context, const exchange::Client& client);
  ~Http2Exchange();

  // Runs until its first suspension. The head is there.
  void start();
  std::size_t index = 0;  // among the connection's
  bool is_ended = false;  // nothing more will come of it

 private:
  // The request's content; asks the client for it first where the client waits to be asked (RFC 9110 10.1.1).
  class Content final : public exchange::Body {
   public:
    explicit Content(Http2Exchange& exchange) : exchange_(exchange) {}
    net::ValueTask<Result<exchange::Slice>> read() override;
    http::BodyLength length() const override { return exchange_.request_.head.body; }
    const http::Fields* trailers() const override {
      return exchange_.request_.head.drops_trailers ? nullptr : exchange_.received_trailers();
    }

   private:
    Http2Exchange& exchange_;
  };

  bool on_head(bool last) override;
  void on_closed() override;
  net::Task<Result<void>> interim(http::ResponseHead& head) override;
  void send_continue();

  net::Task<void> run();
  net::Task<Result<exchange::Response>> handle();
  net::Task<Result<exchange::Response>> refuse();
  // The response is run()'s, and lasts until this has ended.
  net::Task<void> answer(exchange::Response& response);
  net::Task<void> answer_without_content(exchange::Response& response);
  net::Task<void> stream_content(exchange::Response& response);
  net::Task<void> refuse_tunnel(exchange::Response& response);
  net::Task<void> run_tunnel(exchange::Response& response);
  void prepare(http::ResponseHead& head);
  void mark_start();
  void mark_first_byte();
  void record(std::string_view termination);

  Answerer answerer_;  // answers the request; the last to go
  Arena texts_;
  Limits limits_;
  Http2ServerConnection& owner_;
  Context& context_;
  exchange::Request request_;
  Content content_{*this};
  exchange::Outcome outcome_;
  std::optional<Error> refusal_;  // of the head
  std::string_view websocket_key_;
  net::Child<void> task_;
  bool has_begun_ = false;  // its head is complete
  bool is_tunnel_ = false;
  bool awaits_continue_ = false;  // the client holds back its content until it is asked or answered
  bool answered_ = false;         // the final head has gone to the session
  bool recorded_ = false;
};

}  // namespace rproxy::downstream
