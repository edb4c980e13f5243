#include "upstream/http1_exchange.h"

#include <algorithm>
#include <utility>

#include "http/characters.h"
#include "http/head_parser.h"
#include "http/serializer.h"
#include "upstream/http1_tunnel.h"

namespace rproxy::upstream {
namespace {

// How long an endpoint may leave "Expect: 100-continue" unanswered before the content is sent all the same (RFC 9110 10.1.1).
constexpr Duration kContinueTimeout{1'000};
// An endpoint that only ever sends interim responses is broken.
constexpr std::size_t kInterimMax = 32;
// One allocation where growing would make three.
constexpr std::size_t kUsualFields = 16;

// After a 101 no other response follows.
bool is_final(std::uint16_t status) { return status >= 200 || status == 101; }

}  // namespace

Http1Exchange::Http1Exchange(exchange::Request& request, Lease lease, const Options& options, Duration total)
    : request_(request),
      lease_(std::move(lease)),
      options_(options),
      stream_(lease_.stream()),
      framing_(request.body != nullptr && request.body->length().kind == http::BodyLength::Kind::kChunked),
      content_limits_{&options.chunks, options.body_timeout, 0, {}},
      total_([](void* self) { static_cast<Http1Exchange*>(self)->on_total_timeout(); }, this) {
  if (total.count() == 0) return;
  const auto gone = std::chrono::duration_cast<Duration>(stream_.loop().now() - request.trace.start);
  total_.arm(stream_.loop().wheel(), std::max(total - gone, Duration{1}));
}

Http1Exchange::~Http1Exchange() {
  if (request_complete_ && keep_alive_ && !cut_ && content_ && content_->is_complete()) {
    // The last slice is still unread input.
    content_->finish();
    lease_.keep();
  }
}

// Whatever waits for the connection now fails, and failure() says why.
void Http1Exchange::on_total_timeout() {
  if (!cut_) cut_.emplace(ErrorCode::kRequestTimeout, Side::kUpstream);
  content_limits_.cancelled = ErrorCode::kRequestTimeout;
  stream_.abort(true);
}

net::ValueTask<Result<exchange::Slice>> Http1Exchange::read() { return content_->read(); }

net::Task<Result<void>> Http1Exchange::run(http::ResponseHead& head) {
  stream_.set_write_timeout(options_.send_timeout);
  const TimePoint sent_at = stream_.loop().now();
  const bool waits_for_continue = request_.body != nullptr && request_.head.expect_continue;
  if (auto sent = co_await begin_request(waits_for_continue); !sent) co_return fail(failure(std::move(sent.error())));
  if (waits_for_continue) stream_.set_read_timeout(kContinueTimeout);
  for (;;) {
    if (request_complete_) stream_.set_read_timeout(options_.response_timeout);
    auto got = co_await read_head(head);
    if (!got && got.error().code == ErrorCode::kReadTimeout && is_content_held_back()) {
      start_pump();
      continue;
    }
    if (!got) co_return fail(failure(std::move(got.error())));
    if (is_final(head.status)) break;
    if (auto passed = co_await take_interim(head); !passed) co_return fail(failure(std::move(passed.error())));
  }
  if (head.status == 101 && !may_switch(head)) {
    co_return fail(failure(Error(ErrorCode::kBadResponse, Side::kUpstream)));
  }
  request_.trace.upstream_first_byte =
      std::chrono::duration_cast<std::chrono::microseconds>(stream_.loop().now() - sent_at);
  stream_.hold();
  stream_.set_read_timeout(Duration{0});
  keep_alive_ = head.keep_alive && head.status != 101;
  drops_trailers_ = head.drops_trailers;
  content_.emplace(stream_, head.body, arena_, content_limits_);
  co_return Result<void>();
}

// RFC 9110 7.8: only to what the request asked for, and not before it has ended, because the tunnel's bytes begin behind it.
bool Http1Exchange::may_switch(const http::ResponseHead& head) const {
  if (!request_.head.upgrade || !request_complete_) return false;
  const auto asked = request_.head.fields.get(http::FieldId::kUpgrade);
  bool known = false;
  http::for_each_element(head.fields.get(http::FieldId::kUpgrade), [&](std::string_view protocol) {
    known = http::list_contains(asked, protocol);
    return known;
  });
  return known;
}

std::string_view Http1Exchange::serialize_head() {
  http::WriteOptions options;
  if (request_.body != nullptr) options.body = request_.body->length();
  if (request_.head.upgrade) options.upgrade = request_.head.fields.get(http::FieldId::kUpgrade);
  options.close = options_.pool.max_idle == 0 && !request_.head.upgrade;
  char* out = request_.arena->allocate(http::head_size_max(request_.head, options));
  return {out, static_cast<std::size_t>(http::write_head(out, request_.head, options) - out)};
}

// Not within run(): GCC 12 destroys the temporaries of a conditional twice in a coroutine.
net::Task<Result<void>> Http1Exchange::begin_request(bool waits_for_continue) {
  if (request_.body == nullptr || waits_for_continue) return send_head();
  return send_head_with_content();
}

net::Task<Result<void>> Http1Exchange::send_head() {
  auto sent = co_await stream_.write(serialize_head());
  if (!sent) co_return fail(std::move(sent.error()));
  sent_anything_ = true;
  request_complete_ = request_.body == nullptr;
  co_return Result<void>();
}

// What has already arrived of the content leaves together with the head; the rest is pumped beside the answer.
net::Task<Result<void>> Http1Exchange::send_head_with_content() {
  body_started_ = true;
  const auto head = serialize_head();
  auto next = request_.body->read();
  if (!next.is_ready()) {
    if (auto sent = co_await send_slice({}, head); !sent) co_return sent;
    first_slice_.emplace(std::move(next));
    start_pump();
    co_return Result<void>();
  }
  auto slice = co_await std::move(next);
  if (!slice) co_return fail(std::move(slice.error()));
  if (auto sent = co_await send_slice(*slice, head); !sent) co_return sent;
  if (slice->last) {
    request_complete_ = true;
  } else {
    start_pump();
  }
  co_return Result<void>();
}

net::Task<Result<void>> Http1Exchange::send_slice(exchange::Slice slice, std::string_view before) {
  const auto* trailers = slice.last ? request_.body->trailers() : nullptr;
  auto sent = co_await stream_.write(framing_.frame(before, slice, trailers, *request_.arena));
  if (!sent) co_return fail(std::move(sent.error()));
  sent_anything_ = true;
  co_return Result<void>();
}

void Http1Exchange::start_pump() {
  body_started_ = true;
  // The answer's time begins with the content's end.
  stream_.set_read_timeout(Duration{0});
  pump_ = net::Child<void>(pump());
}

// Beside the reading of the answer: an endpoint may answer before it has read everything.
net::Task<void> Http1Exchange::pump() {
  auto sent = co_await send_content();
  request_complete_ = sent.has_value();
  // A content cut short must not reach the endpoint as a whole one, and one that takes nothing for so long has no answer either.
  if (!sent && (sent.error().side == Side::kClient || (sent.error().code == ErrorCode::kWriteTimeout && !content_))) {
    cut_ = std::move(sent.error());
    stream_.abort(true);
  } else if (!content_) {
    // An endpoint that takes no more may still have an answer on the way, but not for ever.
    stream_.set_read_timeout(options_.response_timeout);
  }
}

net::ValueTask<Result<exchange::Slice>> Http1Exchange::next_slice() {
  if (!first_slice_) return request_.body->read();
  auto first = std::move(*first_slice_);
  first_slice_.reset();
  return first;
}

net::Task<Result<void>> Http1Exchange::send_content() {
  for (;;) {
    auto slice = co_await next_slice();
    if (!slice) co_return fail(std::move(slice.error()));
    if (auto sent = co_await send_slice(*slice, {}); !sent) co_return sent;
    if (slice->last) co_return Result<void>();
  }
}

// Passes an interim response on.
net::Task<Result<void>> Http1Exchange::take_interim(http::ResponseHead& head) {
  if (++interim_count_ > kInterimMax) co_return fail(ErrorCode::kBadResponse, Side::kUpstream);
  // RFC 9110 15.2.
  if (request_.interim != nullptr) {
    if (auto passed = co_await request_.interim->interim(head); !passed) co_return passed;
  }
  if (head.status == 100 && is_content_held_back()) start_pump();
  co_return Result<void>();
}

net::Task<Result<void>> Http1Exchange::read_head(http::ResponseHead& head) {
  head = {};
  head.fields.reserve(kUsualFields);
  stream_.release();
  stream_.begin_message(static_cast<std::size_t>(options_.head.head.bytes));
  http::ResponseHeadParser parser(head, options_.head, request_.head.method_id);
  for (;;) {
    if (const auto input = stream_.input(); !input.empty()) {
      auto progress = parser.feed(input);
      if (!progress) {
        answer_begun_ = true;
        co_return fail(std::move(progress.error()));
      }
      if (*progress == http::ParseProgress::kDone) break;
    }
    auto filled = co_await stream_.fill();
    if (!filled) co_return fail(std::move(filled.error()));
    if (*filled == 0) co_return fail(ErrorCode::kClosed, Side::kUpstream);
  }
  answer_begun_ = true;
  stream_.consume(parser.consumed());
  co_return Result<void>();
}

Error Http1Exchange::failure(Error error) const {
  if (cut_) error = *cut_;
  if (cut_ || error.side == Side::kClient) {
    error.retry = Retry::kNever;
    return error;
  }
  error.side = Side::kUpstream;
  const bool is_answered =
      answer_begun_ || error.code == ErrorCode::kBadResponse || error.code == ErrorCode::kHeadTooLarge;
  // A write that failed may have brought a whole head there, and more.
  const bool is_sent = sent_anything_ || body_started_;
  error.retry = is_answered ? Retry::kNever : is_sent ? Retry::kIdempotent : Retry::kSafe;
  return error;
}

std::unique_ptr<exchange::Tunnel> Http1Exchange::into_tunnel() && {
  return std::make_unique<Http1Tunnel>(std::move(lease_));
}

}  // namespace rproxy::upstream
