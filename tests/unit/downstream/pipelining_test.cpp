#include "downstream/http1_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "support/test_loop.h"

namespace rproxy::downstream {
namespace {

class Paths final : public exchange::Handler {
 public:
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override {
    seen.emplace_back(request.head.path);
    exchange::Response response;
    response.head.status = 204;
    co_return response;
  }
  std::vector<std::string> seen;
};

TEST(Pipelining, WhoSendsAheadDoesNotKeepOthersWaiting) {
  test::TestLoop loop;
  Options options;
  Paths handler;
  Context context(options, loop, handler, nullptr);
  auto [many, many_client] = loop.connected();
  auto [one, one_client] = loop.connected();
  std::string ahead;
  for (int i = 0; i < 100; ++i) ahead += "GET /many HTTP/1.1\r\nHost: a\r\n\r\n";
  loop.spawn(serve_http1(std::move(many), {}, context));
  loop.spawn(serve_http1(std::move(one), {}, context));
  loop.run(
      [](net::Stream& stream, std::string_view bytes) -> net::Task<void> {
        (void)co_await stream.write(bytes);
        stream.shutdown_write();
      }(*many_client, ahead),
      [](net::Stream& stream) -> net::Task<void> {
        (void)co_await stream.write("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.shutdown_write();
      }(*one_client));
  ASSERT_EQ(handler.seen.size(), 101U);
  EXPECT_NE(handler.seen.back(), "/one");
}

}  // namespace
}  // namespace rproxy::downstream
