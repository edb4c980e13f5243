// Http1Exchange's way back: the answer, and how the connection goes on.
#include <utility>

#include "downstream/http1_exchange.h"
#include "exchange/until_done.h"
#include "http/head_lines.h"
#include "http/serializer.h"

namespace rproxy::downstream {

using exchange::Response;
using http::BodyLength;
using http::FieldId;

namespace {

// What is read and dropped of a request that was answered early, so that the connection or at least the answer survives.
constexpr std::uint64_t kDrainMax = 64 * 1024;
// A client that ends its side in the midst of an answer may still read on, but is not waited for longer while there is nothing to read.
constexpr Duration kContentGrace{10'000};

// Where the connection's end is the content's, only a reset tells a cut from it: a failure, a client too slow, a worker that stops.
class CutMark {
 public:
  CutMark(net::Stream& stream, bool ends_content) : stream_(ends_content ? &stream : nullptr) {}
  CutMark(const CutMark&) = delete;
  CutMark& operator=(const CutMark&) = delete;
  ~CutMark() {
    if (stream_ != nullptr) stream_->abort(true);
  }
  void dismiss() { stream_ = nullptr; }

 private:
  net::Stream* stream_;
};

}  // namespace

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
    const auto declared = tells_length ? http::declared_length(head.fields) : std::nullopt;
    if (declared) {
      options.body = {BodyLength::Kind::kFixed, *declared};
    } else if (tells_length && response.body != nullptr && length.kind == BodyLength::Kind::kFixed) {
      options.body = length;
    } else {
      // Where nothing else says that there is none, a length of 0 does.
      options.body = {};
      options.no_content_length = !tells_length || head.status == 304 || request.head.method_id == http::Method::kHead;
    }
  }
  // RFC 9110 15.5.22: a 426, too, says to what.
  if (head.status == 101 || head.status == 426) options.upgrade = head.fields.get(FieldId::kUpgrade);
  options.close = close && head.status != 101;
  options.keep_alive_field = !close && request.head.version == http::Version::kHttp10;
  if (!head.fields.has(FieldId::kDate) && head.status >= 200) {
    head.fields.add(FieldId::kDate, arena.copy(context.date.at(context.loop.wall_now())));
  }
  if (!request.strict_transport.empty() && head.status >= 200)
    head.fields.set(FieldId::kStrictTransportSecurity, request.strict_transport);
  char* out = arena.allocate(http::head_size_max(head, options));
  return {out, static_cast<std::size_t>(http::write_head(out, head, options) - out)};
}

net::Task<bool> Http1Exchange::respond(Response response) {
  awaits_continue = false;
  outcome.status = response.head.status;
  if (continuation.has_task()) {
    if (auto sent = co_await await_continuation(); !sent) co_return end(sent.error());
  }
  if (response.tunnel) co_return co_await run_tunnel(std::move(response));
  bool close = !may_keep_alive(response);
  const bool has_content =
      http::may_have_content(request.head.method_id, response.head.status) && response.body != nullptr;
  const BodyLength length = response_length(response, close);
  const auto head = serialize(response, length, close, has_content);
  if (has_content) co_return co_await stream_content(response, head, length, !close);
  auto sent = co_await stream->write(head);
  outcome.bytes_sent += head.size();
  mark_first_byte();
  if (!sent) co_return end(sent.error());
  response.body.reset();
  co_return co_await finish(!close);
}

// Not for a client that has gone: an upstream may be silent for hours, as long as its content's limit allows.
net::Task<Result<exchange::Slice>> Http1Exchange::wait_for_slice(net::Task<Result<exchange::Slice>> next) {
  net::Child<Result<exchange::Slice>> reading(std::move(next));
  const bool has_come = co_await exchange::UntilDone(reading, *stream, kContentGrace);
  if (!has_come) co_return fail(ErrorCode::kClosed, Side::kClient);
  co_return reading.take();
}

net::Task<bool> Http1Exchange::stream_content(Response& response, std::string_view head, BodyLength length, bool keep) {
  exchange::Body& content = *response.body;
  exchange::Http1Framing framing(length.kind == BodyLength::Kind::kChunked);
  if (length.kind == BodyLength::Kind::kFixed && stream->can_send_files()) content.allow_files();
  std::string_view before = head;
  CutMark cut(*stream, length.kind == BodyLength::Kind::kUntilClose);
  for (;;) {
    auto next = content.read();
    // The head does not wait for content that is not there.
    if (!next.is_ready() && !before.empty()) {
      auto sent = co_await stream->write(before);
      mark_first_byte();
      if (!sent) co_return end(sent.error());
      outcome.bytes_sent += *sent;
      before = {};
    }
    // Where the request has content, that is who reads the stream.
    if (!next.is_ready() && request.body == nullptr) next = wait_for_slice(std::move(next).into_task());
    auto slice = co_await std::move(next);
    if (!slice) {
      // Cut short: the client must see that, so the connection ends without the content's end.
      request.trace.failed = true;
      if (!before.empty()) {
        if (auto sent = co_await stream->write(before)) outcome.bytes_sent += *sent;
        mark_first_byte();
      }
      co_return end(slice.error());
    }
    const auto* trailers = slice->last ? content.trailers() : nullptr;
    auto sent = co_await stream->write(framing.frame(before, *slice, trailers, arena), slice->file);
    mark_first_byte();
    before = {};
    if (!sent) co_return end(sent.error());
    outcome.bytes_sent += *sent;
    outcome.body_bytes_sent += slice->size();
    if (slice->last) break;
  }
  cut.dismiss();
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

void Http1Exchange::mark_first_byte() {
  if (request.trace.first_byte.count() >= 0) return;
  request.trace.first_byte =
      std::chrono::duration_cast<std::chrono::microseconds>(context.loop.now() - request.trace.start);
}

}  // namespace rproxy::downstream
