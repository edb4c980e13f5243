#include "downstream/http1_exchange.h"

#include <utility>

#include "exchange/error_page.h"
#include "exchange/until_done.h"
#include "http/head_lines.h"
#include "http/serializer.h"

namespace rproxy::downstream {

using exchange::Response;
using exchange::Slice;
using http::BodyLength;
using http::FieldId;

namespace {

// A client that has closed its sending side may still read a quick answer; one that has gone is not waited for longer.
constexpr Duration kHalfCloseGrace{1'000};
// The same in the midst of an answer, where a pause says less.
constexpr Duration kContentGrace{10'000};
// What is read and dropped of a request that was answered early, so that the connection or at least the answer survives.
constexpr std::uint64_t kDrainMax = 64 * 1024;

}  // namespace

Http1Exchange::Http1Exchange(Context& shared)
    : context(shared),
      body_limits{&shared.options.chunks, shared.options.body_timeout, shared.options.max_body.bytes,
                  shared.options.min_body_rate} {
  request.head.fields.reserve(32);
}

void Http1Exchange::start(net::Stream& connection, const exchange::Client& from) {
  stream = &connection;
  client = from;
  request.client = &client;
  request.arena = &arena;
  request.loop = &context.loop;
  stream->begin_message(static_cast<std::size_t>(context.options.head.head.bytes));
  stream->set_write_timeout(context.options.send_timeout);
}

void Http1Exchange::reset() {
  auto fields = std::move(request.head.fields);
  fields.clear();
  request = {};
  request.head.fields = std::move(fields);
  body.reset();
  arena.reset();
  outcome = {};
  continue_sent = answer_begun = is_last = false;
  stream = nullptr;
}

net::Task<bool> Http1Exchange::run() {
  http::RequestHeadParser parser(request.head, arena, context.options.head, context.options.paths);
  // Nearly always the whole head is there.
  Result<bool> parsed = parse(parser);
  if (parsed && !*parsed) {
    if (auto got = co_await read_head(parser); !got) {
      // A connection that ends between requests, or before its first, owes nobody an answer.
      if (!parser.has_begun()) co_return false;
      parsed = fail(std::move(got.error()));
    }
  }
  if (!parsed) co_return co_await refuse(std::move(parsed.error()));
  begin_request(parser);
  co_return co_await answer();
}

// True when the head is complete.
Result<bool> Http1Exchange::parse(http::RequestHeadParser& parser) {
  auto progress = parser.feed(stream->input());
  if (!progress) return fail(std::move(progress.error()));
  return *progress == http::ParseProgress::kDone;
}

net::Task<Result<void>> Http1Exchange::read_head(http::RequestHeadParser& parser) {
  stream->set_read_timeout(context.options.head_timeout);
  for (;;) {
    auto filled = co_await stream->fill();
    if (!filled) co_return fail(std::move(filled.error()));
    if (*filled == 0) co_return fail(ErrorCode::kClosed, Side::kClient);
    auto parsed = parse(parser);
    if (!parsed) co_return fail(std::move(parsed.error()));
    if (*parsed) co_return Result<void>();
  }
}

void Http1Exchange::begin_request(const http::RequestHeadParser& parser) {
  stream->consume(parser.consumed());
  stream->hold();
  stream->set_read_timeout(Duration{0});
  request.head.scheme = client.scheme;
  request.client_path = request.head.path;
  request.client_authority = request.head.authority;
  request.client_ip = client.peer.ip;
  request.interim = request.head.version == http::Version::kHttp10 ? nullptr : this;
  request.trace.start = context.loop.now();
  request.trace.wall_time = context.loop.wall_now();
  outcome.bytes_received = parser.consumed();
  const BodyLength length = request.head.body;
  if (length.kind == BodyLength::Kind::kNone || (length.kind == BodyLength::Kind::kFixed && length.bytes == 0)) {
    request.head.expect_continue = false;
    return;
  }
  body.start(*this, length);
  request.body = &body;
}

// A malformed or late request: the connection can't be trusted to be in step any more.
net::Task<bool> Http1Exchange::refuse(Error error) {
  request.head.scheme = client.scheme;
  request.client_ip = client.peer.ip;
  request.trace.start = context.loop.now();
  request.trace.wall_time = context.loop.wall_now();
  if (request.trace.request_id.empty()) request.trace.request_id = context.ids.make(arena);
  if (outcome.bytes_received == 0) outcome.bytes_received = stream->input().size();
  if (error.code == ErrorCode::kReset || error.code == ErrorCode::kClosed) {
    outcome.status = 400;
    record("client_closed");
    co_return false;
  }
  request.head.keep_alive = false;
  request.trace.failed = true;
  request.trace.error = error.code;
  outcome.termination = exchange::termination_of(error);
  co_return co_await respond(exchange::error_response(request, exchange::status_of(error)));
}

// False where the client has gone first.
net::Task<bool> Http1Exchange::wait_beside_content(net::Child<Result<Response>>& call) {
  const auto is_read = [](const void* content) { return static_cast<const RequestBody*>(content)->is_complete(); };
  co_return co_await exchange::UntilDoneOrGone<Result<Response>>(call, *stream, {is_read, &body}, kHalfCloseGrace);
}

net::Task<bool> Http1Exchange::answer() {
  if (request.head.body.kind == BodyLength::Kind::kFixed && body_limits.bytes != 0 &&
      request.head.body.bytes > body_limits.bytes) {
    co_return co_await refuse(Error{ErrorCode::kBodyTooLarge, Side::kClient, Retry::kNever, 0, {}});
  }
  net::Child<Result<Response>> call(context.handler.handle(request));
  bool answered = call.is_done();
  if (!answered && request.body == nullptr) {
    answered = co_await exchange::UntilDone(call, *stream, kHalfCloseGrace);
  } else if (!answered) {
    answered = co_await wait_beside_content(call);
  }
  if (!answered) {
    call.cancel();
    outcome.status = 499;
    record("client_closed");
    co_return false;
  }
  auto response = call.take();
  if (response) co_return co_await respond(std::move(*response));
  const Error& error = response.error();
  request.trace.failed = true;
  request.trace.error = error.code;
  outcome.termination = exchange::termination_of(error);
  if (error.side == Side::kClient &&
      (error.code == ErrorCode::kReset || error.code == ErrorCode::kClosed || error.code == ErrorCode::kTruncated)) {
    outcome.status = 499;
    record(outcome.termination);
    co_return false;
  }
  if (error.side == Side::kClient) request.head.keep_alive = false;
  co_return co_await respond(exchange::error_response(request, exchange::status_of(error)));
}

bool Http1Exchange::may_keep_alive(const Response& response) const {
  if (!request.head.keep_alive || response.close || context.draining || is_last) return false;
  if (body.is_complete()) return true;
  // What is left of an unread request would have to be read first: worth it for little.
  const auto length = body.length();
  return length.kind == BodyLength::Kind::kFixed && length.bytes <= kDrainMax && !request.head.expect_continue;
}

// How the content goes to this client, by RFC 9112 6.3. `close` is set where only the connection's end delimits it.
BodyLength Http1Exchange::response_length(const Response& response, bool& close) const {
  if (response.body == nullptr) return {};
  const BodyLength length = response.body->length();
  if (length.kind == BodyLength::Kind::kFixed || length.kind == BodyLength::Kind::kNone) return length;
  if (request.head.version == http::Version::kHttp10) {
    close = true;
    return {BodyLength::Kind::kUntilClose, 0};
  }
  return {BodyLength::Kind::kChunked, 0};
}

std::string_view Http1Exchange::serialize(Response& response, BodyLength length, bool close, bool has_content) {
  http::ResponseHead& head = response.head;
  http::WriteOptions options;
  options.body = length;
  if (!has_content) {
    // An answer to HEAD, or a 304, tells the length GET would have; 1xx and 204 have none (RFC 9110 8.6).
    const bool tells_length = head.status >= 200 && head.status != 204;
    std::uint64_t declared = 0;
    const auto* field = tells_length ? head.fields.find(FieldId::kContentLength) : nullptr;
    if (field != nullptr && http::parse_content_length(field->value, declared)) {
      options.body = {BodyLength::Kind::kFixed, declared};
    } else if (tells_length && response.body != nullptr && length.kind == BodyLength::Kind::kFixed) {
      options.body = length;
    } else {
      options.body = {};
      options.no_content_length = true;
    }
  }
  if (head.status == 101) options.upgrade = head.fields.get(FieldId::kUpgrade);
  options.close = close && head.status != 101;
  options.keep_alive_field = !close && request.head.version == http::Version::kHttp10;
  if (!head.fields.has(FieldId::kDate) && head.status >= 200) {
    head.fields.add(FieldId::kDate, arena.copy(context.date.at(context.loop.wall_now())));
  }
  char* out = arena.allocate(http::head_size_max(head, options));
  return {out, static_cast<std::size_t>(http::write_head(out, head, options) - out)};
}

net::Task<bool> Http1Exchange::respond(Response response) {
  answer_begun = true;
  outcome.status = response.head.status;
  if (response.tunnel) co_return co_await run_tunnel(std::move(response));
  bool close = !may_keep_alive(response);
  const std::uint16_t status = response.head.status;
  const bool has_content =
      request.head.method_id != http::Method::kHead && status != 204 && status != 304 && response.body != nullptr;
  const BodyLength length = response_length(response, close);
  const auto head = serialize(response, length, close, has_content);
  if (has_content) co_return co_await stream_content(response, head, !close);
  auto sent = co_await stream->write(head);
  outcome.bytes_sent += head.size();
  request.trace.first_byte =
      std::chrono::duration_cast<std::chrono::microseconds>(context.loop.now() - request.trace.start);
  if (!sent) {
    record(exchange::termination_of(sent.error()));
    co_return false;
  }
  response.body.reset();
  co_return co_await finish(!close);
}

// Not for a client that has gone: an upstream may be silent for hours, as long as its content's limit allows.
net::Task<Result<Slice>> Http1Exchange::wait_for_slice(net::Task<Result<Slice>> next) {
  net::Child<Result<Slice>> reading(std::move(next));
  const bool has_come = co_await exchange::UntilDone(reading, *stream, kContentGrace);
  if (!has_come) co_return fail(ErrorCode::kClosed, Side::kClient);
  co_return reading.take();
}

net::Task<bool> Http1Exchange::stream_content(Response& response, std::string_view head, bool keep) {
  exchange::Body& content = *response.body;
  const BodyLength length = content.length();
  const bool chunked = request.head.version != http::Version::kHttp10 && length.kind != BodyLength::Kind::kFixed;
  exchange::Http1Framing framing(chunked && length.kind != BodyLength::Kind::kNone);
  std::string_view before = head;
  for (;;) {
    auto next = content.read();
    // The head does not wait for content that is not there.
    if (!next.is_ready() && !before.empty()) {
      auto sent = co_await stream->write(before);
      if (!sent) {
        record(exchange::termination_of(sent.error()));
        co_return false;
      }
      outcome.bytes_sent += *sent;
      before = {};
    }
    // Where the request has content, that is who reads the stream.
    if (!next.is_ready() && request.body == nullptr) next = wait_for_slice(std::move(next).into_task());
    auto slice = co_await std::move(next);
    if (!slice) {
      // Cut short: the client must see that, so the connection ends without the content's end.
      request.trace.failed = true;
      request.trace.error = slice.error().code;
      if (!before.empty()) (void)co_await stream->write(before);
      // Where the connection's end is the content's, only a reset tells the two apart.
      stream->abort(!chunked && length.kind != BodyLength::Kind::kFixed);
      record(exchange::termination_of(slice.error()));
      co_return false;
    }
    const auto* trailers = slice->last ? content.trailers() : nullptr;
    auto sent = co_await stream->write(framing.frame(before, *slice, trailers, arena));
    if (request.trace.first_byte.count() < 0) {
      request.trace.first_byte =
          std::chrono::duration_cast<std::chrono::microseconds>(context.loop.now() - request.trace.start);
    }
    before = {};
    if (!sent) {
      record(exchange::termination_of(sent.error()));
      co_return false;
    }
    outcome.bytes_sent += *sent;
    outcome.body_bytes_sent += slice->data.size();
    if (slice->last) break;
  }
  response.body.reset();
  co_return co_await finish(keep);
}

// The exchange is over; what is left of the request is read away, or the connection ends so that the answer is not lost.
net::Task<bool> Http1Exchange::finish(bool keep) {
  while (keep && !body.is_complete()) {
    auto slice = co_await body.content()->read();
    if (!slice) keep = false;
  }
  if (body.content() != nullptr) body.content()->finish();
  record(outcome.termination);
  if (!keep && (request.trace.failed || !body.is_complete() || !stream->input().empty())) co_await linger();
  co_return keep;
}

// RFC 9112 9.6: closing at once while the client still sends would reset the connection and take the answer with it.
net::Task<void> Http1Exchange::linger() {
  constexpr Duration kLingerTimeout{2'000};
  stream->shutdown_write();
  stream->release();
  stream->set_read_timeout(kLingerTimeout);
  for (;;) {
    stream->consume(stream->input().size());
    auto filled = co_await stream->fill();
    if (!filled || *filled == 0) co_return;
  }
}

net::Task<Result<void>> Http1Exchange::interim(http::ResponseHead& head) {
  // A client that has not even taken the 100 asked for by its content's reader does without hints.
  if (stream->is_writing()) co_return Result<void>();
  if (head.status == 100) continue_sent = true;
  http::WriteOptions options;
  options.no_content_length = true;
  char* out = arena.allocate(http::head_size_max(head, options));
  const std::string_view text{out, static_cast<std::size_t>(http::write_head(out, head, options) - out)};
  auto sent = co_await stream->write(text);
  if (!sent) co_return fail(std::move(sent.error()));
  outcome.bytes_sent += *sent;
  co_return Result<void>();
}

net::Task<Result<void>> Http1Exchange::send_continue() {
  continue_sent = true;
  if (answer_begun) co_return Result<void>();
  auto sent = co_await stream->write("HTTP/1.1 100 Continue\r\n\r\n");
  if (!sent) co_return fail(std::move(sent.error()));
  outcome.bytes_sent += *sent;
  co_return Result<void>();
}

void Http1Exchange::record(std::string_view termination) {
  outcome.termination = termination;
  if (body.content() != nullptr) outcome.bytes_received += body.content()->bytes_read();
  if (context.observer != nullptr) context.observer->finished(request, outcome);
}

void RequestBody::start(Http1Exchange& exchange, BodyLength length) {
  exchange_ = &exchange;
  content_.emplace(*exchange.stream, length, exchange.arena, exchange.body_limits);
}

net::ValueTask<Result<Slice>> RequestBody::read() {
  const bool must_ask = exchange_->request.head.expect_continue && !exchange_->continue_sent;
  if (must_ask && exchange_->stream->input().empty()) return ask_and_read();
  return content_->read();
}

net::Task<Result<Slice>> RequestBody::ask_and_read() {
  if (auto asked = co_await exchange_->send_continue(); !asked) co_return fail(std::move(asked.error()));
  co_return co_await content_->read();
}

}  // namespace rproxy::downstream
