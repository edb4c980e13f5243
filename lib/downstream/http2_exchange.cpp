#include "downstream/http2_exchange.h"

#include <utility>

#include "downstream/http2_server.h"
#include "downstream/tunnel_copy.h"
#include "exchange/error_page.h"
#include "exchange/http2_tunnel.h"
#include "http/head_lines.h"
#include "net/websocket.h"

namespace rproxy::downstream {

using exchange::Response;
using exchange::Slice;
using http::BodyLength;
using http::FieldId;

Http2Exchange::Http2Exchange(Http2ServerConnection& connection, Context& context, const exchange::Client& client)
    : Http2Stream(connection, Side::kClient, texts_, context.options.head, limits_),
      limits_{context.options.body_timeout, context.options.max_body.bytes, context.options.min_body_rate,
              context.options.send_timeout},
      owner_(connection),
      context_(context) {
  request_.client = &client;
  request_.arena = &texts_;
  request_.loop = &context.loop;
  request_.interim = this;
  request_.head.version = http::Version::kHttp2;
  request_.head.scheme = client.scheme;
  request_.head.fields.reserve(24);
  request_.client_ip = client.peer.ip;
  mark_start();
  expect_block(request_.head.fields);
}

Http2Exchange::~Http2Exchange() {
  task_.cancel();
  if (!recorded_) {
    if (!answered_) outcome_.status = has_begun_ ? 499 : 400;
    const bool is_malformed =
        !has_begun_ && close_error() == static_cast<std::uint32_t>(http2::ErrorWord::kProtocolError);
    record(is_malformed ? "client_bad_request" : "client_closed");
  }
  detach(sent_last ? http2::ErrorWord::kNoError : http2::ErrorWord::kInternalError);
}

bool Http2Exchange::on_head(bool last) {
  http::RequestHead& head = request_.head;
  has_begun_ = true;
  mark_start();
  if (auto done = block.finish_request(head, context_.options.paths, !last); !done) refusal_ = std::move(done.error());
  request_.client_path = head.path;
  request_.client_authority = head.authority;
  request_.is_early = owner_.stream().is_early();
  if (head.body.kind == BodyLength::Kind::kFixed && limits_.bytes != 0 && head.body.bytes > limits_.bytes) {
    refusal_ = Error{ErrorCode::kBodyTooLarge, Side::kClient, Retry::kNever, 0, {}};
  }
  if (head.body.kind == BodyLength::Kind::kNone || last) {
    head.expect_continue = false;
  } else {
    awaits_continue_ = head.expect_continue;
    request_.body = &content_;
  }
  owner_.begin(*this);
  return true;
}

// What a client said into a tunnel before both sides ended may still be on its way.
void Http2Exchange::on_closed() {
  if (!is_tunnel_ || !sent_last || !has_ended()) owner_.end(*this);
}

void Http2Exchange::start() { task_ = net::Child<void>(run()); }

net::Task<void> Http2Exchange::run() {
  {
    auto response = co_await handle();
    if (response) {
      if (request_.trace.failed) outcome_.termination = request_.trace.termination;
    } else {
      const Error& error = response.error();
      request_.trace.failed = true;
      outcome_.termination = exchange::termination_of(error);
      if (request_.trace.request_id.empty()) request_.trace.request_id = context_.ids.make(texts_);
      response = exchange::error_response(request_, exchange::status_of(error));
    }
    co_await answer(*response);
  }
  owner_.end(*this);
}

net::Task<Result<Response>> Http2Exchange::handle() {
  if (refusal_) return refuse();
  // HTTP/1.1 has a key and HTTP/2 has none: whoever answers is to see a whole handshake.
  if (request_.head.upgrade) {
    websocket_key_ = net::make_websocket_key(texts_);
    request_.head.fields.set(FieldId::kSecWebsocketKey, websocket_key_);
  }
  return answerer_.handler->handle(request_);
}

net::Task<Result<Response>> Http2Exchange::refuse() { co_return fail(std::move(*refusal_)); }

net::Task<void> Http2Exchange::answer(Response& response) {
  awaits_continue_ = false;
  answered_ = true;
  // From here on the two talk with each other, in turns and pauses of their own.
  limits_.silence = Duration{0};
  limits_.min_rate = ByteSize{0};
  if (response.tunnel) return run_tunnel(response);
  outcome_.status = response.head.status;
  const std::uint16_t status = response.head.status;
  // Where a tunnel was asked for, 2xx would say that it begins (RFC 9110 9.3.6).
  if (!websocket_key_.empty() && status < 300) return refuse_tunnel(response);
  const bool has_content = http::may_have_content(request_.head.method_id, status) && response.body != nullptr &&
                           response.body->length().kind != BodyLength::Kind::kNone;
  return has_content ? stream_content(response) : answer_without_content(response);
}

void Http2Exchange::prepare(http::ResponseHead& head) {
  if (!request_.strict_transport.empty()) head.fields.set(FieldId::kStrictTransportSecurity, request_.strict_transport);
  if (!head.fields.has(FieldId::kDate)) {
    head.fields.add(FieldId::kDate, texts_.copy(context_.date.at(context_.loop.wall_now())));
  }
}

// An answer to HEAD, or a 304, tells the length GET would have (RFC 9110 8.6).
net::Task<void> Http2Exchange::answer_without_content(Response& response) {
  http::ResponseHead& head = response.head;
  BodyLength length;
  const auto declared = head.status == 204 ? std::nullopt : http::declared_length(head.fields);
  if (declared) {
    length = {BodyLength::Kind::kFixed, *declared};
  } else if (head.status != 204 && response.body != nullptr) {
    length = response.body->length();
  }
  prepare(head);
  connection().session().respond(*this, head, length, false);
  mark_first_byte();
  auto sent = co_await await_sent_last();
  record(sent ? outcome_.termination : exchange::termination_of(sent.error()));
}

net::Task<void> Http2Exchange::stream_content(Response& response) {
  exchange::Body& content = *response.body;
  prepare(response.head);
  connection().session().respond(*this, response.head, content.length(), true);
  connection().schedule();
  mark_first_byte();
  for (;;) {
    auto slice = co_await content.read();
    if (!slice) {
      // Cut short: the client must see that, so the stream ends by a reset.
      request_.trace.failed = true;
      co_return record(exchange::termination_of(slice.error()));
    }
    auto sent = co_await write(*slice, slice->last ? content.trailers() : nullptr);
    if (!sent) co_return record(exchange::termination_of(sent.error()));
    outcome_.body_bytes_sent += slice->data.size();
    if (slice->last) break;
  }
  record(outcome_.termination);
}

net::Task<void> Http2Exchange::run_tunnel(Response& response) {
  http::ResponseHead& head = response.head;
  const auto proof = head.fields.get(FieldId::kSecWebsocketAccept);
  if (websocket_key_.empty() || proof != net::websocket_accept(websocket_key_, texts_)) {
    co_return co_await refuse_tunnel(response);
  }
  // RFC 8441 5: what HTTP/1.1 calls 101.
  head.status = outcome_.status = 200;
  prepare(head);
  connection().session().respond(*this, head, {}, true);
  connection().schedule();
  mark_first_byte();
  limits_.bytes = 0;
  is_tunnel_ = true;
  exchange::Http2Tunnel client_end(*this);
  TunnelCopy copy(client_end, *response.tunnel, context_.loop, context_.options.tunnel_timeout);
  co_await copy.run();
  // The stream's end is said, but not yet sent.
  if (out_is_last) (void)co_await await_taken();
  outcome_.body_bytes_sent = copy.bytes_to_client();
  record(copy.has_timed_out() ? "tunnel_timeout" : "ok");
}

net::Task<void> Http2Exchange::refuse_tunnel(Response& response) {
  request_.trace.failed = true;
  outcome_.termination = "upstream_bad_response";
  response = exchange::error_response(request_, 502);
  return answer(response);
}

net::Task<Result<void>> Http2Exchange::interim(http::ResponseHead& head) {
  // Not twice, and a 100 nobody waits for means nothing (RFC 9110 15.2.1).
  if (head.status == 100 && !std::exchange(awaits_continue_, false)) co_return Result<void>();
  connection().session().respond_interim(*this, head);
  connection().schedule();
  co_return Result<void>();
}

void Http2Exchange::send_continue() {
  if (!std::exchange(awaits_continue_, false)) return;
  http::ResponseHead head;
  head.status = 100;
  connection().session().respond_interim(*this, head);
  connection().schedule();
}

void Http2Exchange::mark_start() {
  answerer_ = context_.answerer;
  request_.trace.start = context_.loop.now();
  request_.trace.wall_time = context_.loop.wall_now();
}

void Http2Exchange::mark_first_byte() {
  request_.trace.first_byte =
      std::chrono::duration_cast<std::chrono::microseconds>(context_.loop.now() - request_.trace.start);
}

void Http2Exchange::record(std::string_view termination) {
  recorded_ = true;
  outcome_.termination = termination;
  outcome_.bytes_received = bytes_received;
  outcome_.bytes_sent = bytes_sent;
  if (context_.observer != nullptr) context_.observer->finished(request_, outcome_);
}

net::ValueTask<Result<Slice>> Http2Exchange::Content::read() {
  exchange_.send_continue();
  return exchange_.Http2Stream::read();
}

}  // namespace rproxy::downstream
