#include "downstream/http1_exchange.h"

#include <utility>

#include "exchange/error_page.h"
#include "exchange/until_done.h"

namespace rproxy::downstream {

using exchange::Response;
using exchange::Slice;
using http::BodyLength;

namespace {

// A client that has closed its sending side may still read a quick answer; one that has gone is not waited for longer.
constexpr Duration kHalfCloseGrace{1'000};

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
  continuation.cancel();
  body.reset();
  arena.reset();
  outcome = {};
  awaits_continue = interim_under_way = continue_owed = is_last = false;
  stream = nullptr;
  answerer = {};
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
  note_arrival();
  request.is_early = stream->is_early();
  request.client_path = request.head.path;
  request.client_authority = request.head.authority;
  request.interim = request.head.version == http::Version::kHttp10 ? nullptr : this;
  outcome.bytes_received = parser.consumed();
  const BodyLength length = request.head.body;
  if (length.kind == BodyLength::Kind::kNone || (length.kind == BodyLength::Kind::kFixed && length.bytes == 0)) {
    request.head.expect_continue = false;
    return;
  }
  awaits_continue = request.head.expect_continue;
  body.start(*this, length);
  request.body = &body;
}

// What is known of any request, whether or not its head is understood.
void Http1Exchange::note_arrival() {
  answerer = context.answerer;
  request.head.scheme = client.scheme;
  request.client_ip = client.peer.ip;
  request.trace.start = context.loop.now();
  request.trace.wall_time = context.loop.wall_now();
}

// A malformed or late request: the connection can't be trusted to be in step any more.
net::Task<bool> Http1Exchange::refuse(Error error) {
  note_arrival();
  if (request.trace.request_id.empty()) request.trace.request_id = context.ids.make(arena);
  if (outcome.bytes_received == 0) outcome.bytes_received = stream->input().size();
  if (error.code == ErrorCode::kReset || error.code == ErrorCode::kClosed) {
    outcome.status = 400;
    record("client_closed");
    co_return false;
  }
  request.head.keep_alive = false;
  request.trace.failed = true;
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
  net::Child<Result<Response>> call(answerer.handler->handle(request));
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
  if (response) {
    if (request.trace.failed) outcome.termination = request.trace.termination;
    co_return co_await respond(std::move(*response));
  }
  const Error& error = response.error();
  request.trace.failed = true;
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

void Http1Exchange::record(std::string_view termination) {
  outcome.termination = termination;
  if (body.content() != nullptr) outcome.bytes_received += body.content()->bytes_read();
  if (context.observer != nullptr) context.observer->finished(request, outcome);
}

bool Http1Exchange::end(const Error& error) {
  record(exchange::termination_of(error));
  return false;
}

void RequestBody::start(Http1Exchange& exchange, BodyLength length) {
  exchange_ = &exchange;
  content_.emplace(*exchange.stream, length, exchange.arena, exchange.body_limits);
}

const http::Fields* RequestBody::trailers() const {
  return exchange_->request.head.drops_trailers ? nullptr : content_->trailers();
}

net::ValueTask<Result<Slice>> RequestBody::read() {
  if (exchange_->awaits_continue && exchange_->stream->input().empty()) exchange_->send_continue();
  return content_->read();
}

}  // namespace rproxy::downstream
