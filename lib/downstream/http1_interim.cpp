// What a client is sent before its answer: the endpoint's interim responses, and our own 100 where it waits to be asked for content. The
// content is pulled beside the waiting for an answer, and a stream takes one writer at a time.
#include <utility>

#include "downstream/http1_exchange.h"
#include "http/serializer.h"

namespace rproxy::downstream {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

net::Task<Result<void>> Http1Exchange::interim(http::ResponseHead& head) {
  if (continuation.has_task()) {
    if (auto sent = co_await await_continuation(); !sent) co_return sent;
  }
  // Not twice, and a 100 nobody waits for means nothing (RFC 9110 15.2.1).
  if (head.status == 100 && !std::exchange(awaits_continue, false)) co_return Result<void>();
  http::WriteOptions options;
  options.no_content_length = true;
  char* out = arena.allocate(http::head_size_max(head, options));
  const std::string_view text{out, static_cast<std::size_t>(http::write_head(out, head, options) - out)};
  interim_under_way = true;
  auto sent = co_await write_interim(text);
  interim_under_way = false;
  if (sent && std::exchange(continue_owed, false)) co_return co_await write_interim(kContinue);
  co_return sent;
}

void Http1Exchange::send_continue() {
  if (!std::exchange(awaits_continue, false)) return;
  if (interim_under_way) {
    continue_owed = true;
  } else {
    continuation = net::Child<Result<void>>(write_interim(kContinue));
  }
}

net::Task<Result<void>> Http1Exchange::await_continuation() {
  co_await continuation.wait();
  auto sent = continuation.take();
  continuation.cancel();
  co_return sent;
}

net::Task<Result<void>> Http1Exchange::write_interim(std::string_view text) {
  auto sent = co_await stream->write(text);
  if (!sent) co_return fail(std::move(sent.error()));
  outcome.bytes_sent += *sent;
  co_return Result<void>();
}

}  // namespace rproxy::downstream
