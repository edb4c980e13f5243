#include "upstream/http2_exchange.h"

#include <algorithm>
#include <utility>

namespace rproxy::upstream {
namespace {

// How long an endpoint may leave "Expect: 100-continue" unanswered before the content is sent all the same (RFC 9110 10.1.1).
constexpr Duration kStreamContinueTimeout{1'000};
// An endpoint that only ever sends interim responses is broken.
constexpr std::size_t kStreamInterimMax = 32;

}  // namespace

Http2Exchange::Http2Exchange(exchange::Request& request, Lease lease, const Options& options, Duration total)
    : Http2Stream(*lease.link(), Side::kUpstream, texts_, options.head, limits_),
      limits_{options.body_timeout, 0, {}, options.send_timeout},
      request_(request),
      lease_(std::move(lease)),
      options_(options),
      link_(*lease_.link()),
      head_wait_(link_),
      head_deadline_([](void* self) { static_cast<Http2Exchange*>(self)->on_head_deadline(); }, this),
      total_([](void* self) { static_cast<Http2Exchange*>(self)->on_total_timeout(); }, this) {
  expect_block(head_.fields);
  if (total.count() == 0) return;
  const auto gone = std::chrono::duration_cast<Duration>(link_.loop().now() - request.trace.start);
  total_.arm(link_.loop().wheel(), std::max(total - gone, Duration{1}));
}

Http2Exchange::~Http2Exchange() {
  pump_.cancel();
  detach(http2::ErrorWord::kCancel);
}

net::Task<Result<void>> Http2Exchange::run(http::ResponseHead& head) {
  const TimePoint sent_at = link_.loop().now();
  if (auto opened = open(); !opened) co_return fail(std::move(opened.error()));
  if (request_.body == nullptr) {
    arm(options_.response_timeout);
  } else if (request_.head.expect_continue) {
    arm(kStreamContinueTimeout);
  } else {
    start_pump();
  }
  if (auto got = co_await await_heads(); !got) co_return fail(failure(std::move(got.error())));
  head_deadline_.disarm();
  request_.trace.upstream_first_byte =
      std::chrono::duration_cast<std::chrono::microseconds>(link_.loop().now() - sent_at);
  head = std::move(head_);
  co_return Result<void>();
}

Result<void> Http2Exchange::open() {
  if (link_.is_dead()) return fail(ErrorCode::kReset, Side::kUpstream, Retry::kSafe);
  // Of what HTTP/1.1 can switch to this version has but one (RFC 9110 7.8 lets a server ignore the wish).
  if (!http::equals_ignoring_case(request_.head.fields.get(http::FieldId::kUpgrade), "websocket")) {
    request_.head.upgrade = false;
  }
  const bool has_content = request_.body != nullptr || request_.head.upgrade;
  if (request_.head.upgrade && !link_.session().peer_takes_websockets()) {
    return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, "the server takes no WebSockets over HTTP/2");
  }
  const auto length = request_.body != nullptr ? request_.body->length() : http::BodyLength{};
  if (!link_.session().request(*this, request_.head, length, has_content)) {
    return fail(ErrorCode::kReset, Side::kUpstream, Retry::kSafe);
  }
  link_.schedule();
  return {};
}

net::Task<Result<void>> Http2Exchange::await_heads() {
  for (;;) {
    if (auto passed = co_await pass_interim(); !passed) co_return passed;
    if (cut_) co_return fail(*cut_);
    if (has_head_) co_return Result<void>();
    if (is_closed()) co_return fail(refusal());
    if (is_late_ && is_content_held_back()) {
      start_pump();
    } else if (is_late_) {
      link_.suspect();
      co_return fail(ErrorCode::kReadTimeout, Side::kUpstream);
    }
    co_await head_wait_;
  }
}

// RFC 9110 15.2.
net::Task<Result<void>> Http2Exchange::pass_interim() {
  while (!interim_.empty()) {
    http::ResponseHead head = std::move(interim_.front());
    interim_.erase(interim_.begin());
    if (request_.interim != nullptr) {
      if (auto passed = co_await request_.interim->interim(head); !passed) co_return passed;
    }
    if (head.status == 100 && is_content_held_back()) start_pump();
  }
  co_return Result<void>();
}

bool Http2Exchange::on_head(bool last) {
  head_wait_.end();
  if (auto done = block.finish_response(head_, request_.head.method_id, !last); !done) {
    cut(std::move(done.error()));
    return true;
  }
  length_ = head_.body;
  if (head_.status >= 200) return has_head_ = true;
  if (last || ++interim_count_ > kStreamInterimMax) {
    cut(Error(ErrorCode::kBadResponse, Side::kUpstream));
    return true;
  }
  interim_.push_back(std::move(head_));
  head_ = {};
  expect_block(head_.fields);
  return false;
}

// Some servers (Node's) end what they have said by RST_STREAM alone, with NO_ERROR, where they did not read the request's content (RFC 9113
// 8.1 has them end the response first), be there any or not. Where a length was announced it decides.
bool Http2Exchange::is_whole(std::uint32_t error, std::uint64_t content) const {
  if (error != static_cast<std::uint32_t>(http2::ErrorWord::kNoError) || cut_) return false;
  return length_.kind != http::BodyLength::Kind::kFixed || length_.bytes == content;
}

void Http2Exchange::start_pump() {
  // The answer's time begins with the content's end. What was late until now was the wish for content.
  head_deadline_.disarm();
  is_late_ = false;
  pump_ = net::Child<void>(pump());
}

// Beside the waiting for the answer: an endpoint may answer before it has read everything.
net::Task<void> Http2Exchange::pump() {
  for (;;) {
    auto slice = co_await request_.body->read();
    // A content cut short must not reach the endpoint as a whole one.
    if (!slice) co_return cut(std::move(slice.error()));
    auto sent = co_await write(*slice, slice->last ? request_.body->trailers() : nullptr);
    if (!sent && sent.error().code == ErrorCode::kWriteTimeout && !has_head_) co_return cut(std::move(sent.error()));
    // It takes no more, but may still have an answer on the way.
    if (!sent || slice->last) break;
  }
  if (!has_head_) arm(options_.response_timeout);
}

void Http2Exchange::be_tunnel() {
  limits_.silence = Duration{0};
  total_.disarm();
}

void Http2Exchange::arm(Duration timeout) { head_deadline_.arm(link_.loop().wheel(), timeout); }

void Http2Exchange::on_head_deadline() {
  is_late_ = true;
  head_wait_.end();
}

void Http2Exchange::on_total_timeout() { cut(Error(ErrorCode::kRequestTimeout, Side::kUpstream)); }

// Whatever waits on the stream now fails.
void Http2Exchange::cut(Error error) {
  if (!cut_) cut_ = std::move(error);
  give_up(*cut_);
  reset(http2::ErrorWord::kCancel);
  head_wait_.end();
}

// REFUSED_STREAM says that nothing was done, and a server that goes has told how far it got (RFC 9113 8.7, 6.8). Where the connection
// lives on, the end is the endpoint's word on this request, and no connection's that was kept too long.
Error Http2Exchange::refusal() const {
  const bool is_refused = close_error() == static_cast<std::uint32_t>(http2::ErrorWord::kRefusedStream);
  const bool lives_on = link_.takes_requests();
  // Nor has who goes in order failed a request that can't be sent again.
  const bool is_busy = is_refused && (lives_on || pump_.has_task());
  const auto code = is_busy ? ErrorCode::kLimitReached : lives_on ? ErrorCode::kCancelled : ErrorCode::kReset;
  return Error(code, Side::kUpstream, is_refused || bytes_sent == 0 ? Retry::kSafe : Retry::kIdempotent);
}

Error Http2Exchange::failure(Error error) const {
  if (cut_ || error.side == Side::kClient) {
    error.retry = Retry::kNever;
    return error;
  }
  error.side = Side::kUpstream;
  if (error.code == ErrorCode::kReadTimeout) error.retry = Retry::kIdempotent;
  if (interim_count_ > 0) error.retry = Retry::kNever;
  return error;
}

}  // namespace rproxy::upstream
