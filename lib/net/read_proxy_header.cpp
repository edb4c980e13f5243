#include "net/read_proxy_header.h"

namespace rproxy::net {

Task<Result<void>> read_proxy_header(Stream& stream, std::size_t size_max, Duration timeout, ReceivedProxyHeader& out) {
  stream.set_read_timeout(timeout);
  for (;;) {
    const auto size = parse_proxy_header(stream.input(), size_max, out.header);
    if (!size) co_return fail(size.error());
    if (*size > 0) {
      // The buffer is for what comes next: the texts move to bytes of their own.
      out.bytes = stream.input().substr(0, *size);
      (void)parse_proxy_header(out.bytes, size_max, out.header);
      stream.consume(*size);
      stream.set_read_timeout(Duration{0});
      co_return Result<void>();
    }
    auto filled = co_await stream.fill();
    if (filled && *filled > 0) continue;
    const bool is_begun = !stream.input().empty();
    Error error = filled ? Error{ErrorCode::kClosed, stream.side()} : std::move(filled.error());
    if (is_begun) error.context = "within a PROXY header";
    co_return fail(std::move(error));
  }
}

}  // namespace rproxy::net
