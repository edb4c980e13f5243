#include "downstream/http2_server.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace rproxy::downstream {
namespace {

// From the word that the server will go, to its going: what a client has on the way by then is still answered (RFC 9113 6.8).
constexpr Duration kNotice{500};

constexpr Duration kComplainEvery{1'000};

}  // namespace

Http2ServerConnection::Http2ServerConnection(net::StreamPtr stream, const exchange::Client& client, Context& context)
    : Http2Connection(std::move(stream), http2::Session::Role::kServer, context.options.http2, context.options.head,
                      this),
      client_(client),
      context_(context),
      entry_(context.idle, {[](void* self) { static_cast<Http2ServerConnection*>(self)->on_drain(); }, this}),
      deadline_([](void* self) { static_cast<Http2ServerConnection*>(self)->on_deadline(); }, this),
      notice_([](void* self) { static_cast<Http2ServerConnection*>(self)->on_notice_over(); }, this) {
  this->stream().set_read_timeout(Duration{0});
  this->stream().set_write_timeout(context.options.send_timeout);
}

Http2ServerConnection::~Http2ServerConnection() {
  begun_.clear();
  ended_.clear();
  exchanges_.clear();
}

net::Task<void> Http2ServerConnection::serve() {
  (void)co_await run();
  note_abuse();
}

http2::Stream& Http2ServerConnection::accept() {
  exchanges_.push_back(std::make_unique<Http2Exchange>(*this, context_, client_));
  exchanges_.back()->index = exchanges_.size() - 1;
  return *exchanges_.back();
}

void Http2ServerConnection::begin(Http2Exchange& exchange) {
  begun_.push_back(&exchange);
  schedule();
}

// Told twice where both its task and its stream end.
void Http2ServerConnection::end(Http2Exchange& exchange) {
  if (std::exchange(exchange.is_ended, true)) return;
  ended_.push_back(&exchange);
  schedule();
}

void Http2ServerConnection::on_round() {
  start_begun();
  drop_ended();
  note_abuse();
  watch_time();
}

// What was given up in the same breath costs no backend anything.
void Http2ServerConnection::start_begun() {
  for (std::size_t i = 0; i < begun_.size(); ++i) {
    if (begun_[i]->is_closed()) continue;
    ++served_;
    begun_[i]->start();
  }
  begun_.clear();
  const std::uint64_t served_max = context_.options.requests_per_connection;
  if (served_max != 0 && served_ >= served_max) on_drain();
}

void Http2ServerConnection::drop_ended() {
  for (const Http2Exchange* over : ended_) {
    const std::size_t index = over->index;
    std::swap(exchanges_[index], exchanges_.back());
    exchanges_[index]->index = index;
    exchanges_.pop_back();
  }
  ended_.clear();
}

void Http2ServerConnection::note_abuse() {
  const auto abuse = session().abuse();
  if (abuse.empty() || std::exchange(abuse_told_, true)) return;
  if (context_.series != nullptr) context_.series->http2_abuse.add();
  const TimePoint now = context_.loop.now();
  if (now - context_.abuse_told < kComplainEvery) {
    ++context_.abuse_untold;
    return;
  }
  context_.abuse_told = now;
  log::info("http2: closing {}: {} ({} more not told)", client_.peer.ip.to_string(), abuse,
            std::exchange(context_.abuse_untold, 0));
}

void Http2ServerConnection::watch_time() {
  const std::uint64_t block = session().open_header_block();
  const Wait wait = block != 0 ? Wait::kHead : exchanges_.empty() ? Wait::kIdle : Wait::kBusy;
  if (wait == wait_ && block == watched_block_) return;
  wait_ = wait;
  watched_block_ = block;
  if (wait == Wait::kBusy) return deadline_.disarm();
  const Options& options = context_.options;
  const bool is_first = wait == Wait::kIdle && served_ == 0;
  deadline_.arm(loop().wheel(), wait == Wait::kHead || is_first ? options.head_timeout : options.keep_alive_timeout);
}

void Http2ServerConnection::on_deadline() {
  session().terminate(wait_ == Wait::kHead ? http2::ErrorWord::kEnhanceYourCalm : http2::ErrorWord::kNoError);
  schedule();
}

// At each tick while the server goes, or when the connection has served its requests.
void Http2ServerConnection::on_drain() {
  if (std::exchange(is_leaving_, true)) return;
  session().announce_shutdown();
  notice_.arm(loop().wheel(), kNotice);
  schedule();
}

void Http2ServerConnection::on_notice_over() {
  session().shut_down();
  schedule();
}

net::Task<void> serve_http2(net::StreamPtr stream, exchange::Client client, Context& context) {
  Http2ServerConnection connection(std::move(stream), client, context);
  co_await connection.serve();
}

}  // namespace rproxy::downstream
