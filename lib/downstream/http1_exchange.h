// One request and its response on an HTTP/1 client connection.
#pragma once

#include <optional>
#include <string_view>

#include "base/arena.h"
#include "downstream/http1_server.h"
#include "exchange/exchange.h"
#include "exchange/http1_body.h"
#include "exchange/http1_framing.h"
#include "http/head_parser.h"
#include "net/stream.h"

namespace rproxy::downstream {

// The request's content; asks the client for it first where the client waits to be asked (RFC 9110 10.1.1).
class RequestBody final : public exchange::Body {
 public:
  void start(Http1Exchange& exchange, http::BodyLength length);
  void reset() { content_.reset(); }

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override { return content_->length(); }
  const http::Fields* trailers() const override;
  bool is_complete() const { return !content_ || content_->is_complete(); }
  exchange::Http1Content* content() { return content_ ? &*content_ : nullptr; }

 private:
  Http1Exchange* exchange_ = nullptr;
  std::optional<exchange::Http1Content> content_;
};

// Reused for one request after another; everything in it is reset between them.
struct Http1Exchange final : exchange::InterimSink {
  explicit Http1Exchange(Context& shared);

  // Ready for the next request on `connection`.
  void start(net::Stream& connection, const exchange::Client& from);
  void reset();

  // Whether the connection may serve another request.
  net::Task<bool> run();

  net::Task<Result<void>> interim(http::ResponseHead& head) override;
  // Sends "100 Continue" where the client awaits it. Does not wait until it has gone: who asks reads on.
  void send_continue();

  Context& context;
  Service service;  // answers the request; the last to go
  net::Stream* stream = nullptr;
  Arena arena;
  exchange::Client client;
  exchange::Request request;
  RequestBody body;
  exchange::Http1Content::Limits body_limits;
  exchange::Outcome outcome;
  bool awaits_continue = false;  // the client holds back its content until it is asked or answered
  bool interim_under_way = false;
  bool continue_owed = false;             // asked for while an interim response was being written
  net::Child<Result<void>> continuation;  // writes the 100 beside whatever else goes on
  bool is_last = false;                   // the connection has served its number of requests

 private:
  void mark_first_byte();
  net::Task<Result<void>> write_interim(std::string_view text);
  // Where there is one.
  net::Task<Result<void>> await_continuation();
  net::Task<Result<void>> read_head(http::RequestHeadParser& parser);
  Result<bool> parse(http::RequestHeadParser& parser);
  void begin_request(const http::RequestHeadParser& parser);
  void note_arrival();

  net::Task<bool> refuse(Error error);
  net::Task<bool> answer();
  net::Task<bool> wait_beside_content(net::Child<Result<exchange::Response>>& call);
  net::Task<bool> respond(exchange::Response response);
  net::Task<Result<exchange::Slice>> wait_for_slice(net::Task<Result<exchange::Slice>> next);
  net::Task<bool> stream_content(exchange::Response& response, std::string_view head, http::BodyLength length,
                                 bool keep);
  net::Task<bool> run_tunnel(exchange::Response response);
  net::Task<bool> finish(bool keep);
  net::Task<void> linger();

  http::BodyLength response_length(const exchange::Response& response, bool& close) const;
  std::string_view serialize(exchange::Response& response, http::BodyLength length, bool close, bool has_content);
  bool may_keep_alive(const exchange::Response& response) const;
  void record(std::string_view termination);
  // Records a failure in the midst of an answer. False: the connection serves no other request.
  bool end(const Error& error);
};

}  // namespace rproxy::downstream
