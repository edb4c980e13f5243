#include "downstream/http1_server.h"

#include <algorithm>
#include <utility>

#include "downstream/http1_exchange.h"
#include "downstream/http2_server.h"

namespace rproxy::downstream {
namespace {

// Exchanges kept for reuse; a burst gives the rest back to the heap.
constexpr std::size_t kSpareMax = 256;

// Requests sent ahead that are answered before other connections get their turn.
constexpr std::uint64_t kInARow = 16;

}  // namespace

IdleConnections::Entry::Entry(IdleConnections& list, net::Waiter on_drain)
    : on_drain_(on_drain), next_(list.first_), link_(&list.first_) {
  if (next_ != nullptr) next_->link_ = &next_;
  list.first_ = this;
}

IdleConnections::Entry::~Entry() {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

void IdleConnections::drain() {
  for (Entry* entry = first_; entry != nullptr;) {
    Entry* const next = entry->next_;
    entry->on_drain_();
    entry = next;
  }
}

Context::Context(const Options& chosen, net::Loop& event_loop, exchange::Handler& root, exchange::Observer* finished)
    : options(chosen), loop(event_loop), service{&root, {}}, observer(finished) {}

Context::~Context() = default;

std::unique_ptr<Http1Exchange> Context::take_exchange() {
  if (spare.empty()) return std::make_unique<Http1Exchange>(*this);
  auto exchange = std::move(spare.back());
  spare.pop_back();
  return exchange;
}

void Context::give_back(std::unique_ptr<Http1Exchange> exchange) {
  exchange->reset();
  if (spare.size() < kSpareMax) spare.push_back(std::move(exchange));
}

namespace {

// Holds one of the context's exchanges for one request.
class Borrowed {
 public:
  explicit Borrowed(Context& context) : context_(context), exchange_(context.take_exchange()) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { context_.give_back(std::move(exchange_)); }
  Http1Exchange* operator->() const { return exchange_.get(); }

 private:
  Context& context_;
  std::unique_ptr<Http1Exchange> exchange_;
};

net::Task<bool> serve_one(net::Stream& stream, const exchange::Client& client, Context& context, bool is_last) {
  Borrowed exchange(context);
  exchange->start(stream, client);
  exchange->is_last = is_last;
  co_return co_await exchange->run();
}

// The first bytes are HTTP/2's, as far as can be told.
bool begins_as_http2(std::string_view input) {
  const std::size_t size = std::min(input.size(), kHttp2Preface.size());
  return input.substr(0, size) == kHttp2Preface.substr(0, size);
}

void interrupt(void* stream) { static_cast<net::Stream*>(stream)->interrupt_fill(); }

}  // namespace

// Its frame is all that an idle connection has besides the stream: what serves a request lives in serve_one().
net::Task<void> serve_http1(net::StreamPtr stream, exchange::Client client, Context& context) {
  std::uint64_t served = 0;
  const std::uint64_t served_max = context.options.requests_per_connection;
  Duration patience = context.options.head_timeout;
  for (;;) {
    const bool pipelined = !stream->input().empty();
    // Not once: what a fill() gives at once may have come, and been served, while the last answer was sent.
    const bool may_be_http2 = served == 0 && context.speaks_http2;
    while (stream->input().empty() ||
           (may_be_http2 && stream->input().size() < kHttp2Preface.size() && begins_as_http2(stream->input()))) {
      // Whoever has just come is still served.
      if (context.draining && served > 0) co_return;
      const IdleConnections::Entry entry(context.idle, {&interrupt, stream.get()});
      if (stream->input().empty()) stream->set_read_timeout(patience);
      const auto filled = co_await stream->fill();
      if (filled && *filled > 0) continue;
      if (stream->input().empty()) co_return;
      break;
    }
    if (may_be_http2 && stream->input().starts_with(kHttp2Preface)) {
      co_return co_await serve_http2(std::move(stream), client, context);
    }
    if (pipelined && served % kInARow == 0) co_await net::NextTurn(context.loop);
    if (!co_await serve_one(*stream, client, context, ++served == served_max)) co_return;
    stream->release();
    patience = context.options.keep_alive_timeout;
  }
}

}  // namespace rproxy::downstream
