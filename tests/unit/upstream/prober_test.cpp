#include "upstream/prober.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/tls_stream.h"
#include "support/http2_server.h"
#include "support/tls_fixture.h"

namespace rproxy::upstream {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;
using Failure = ProbeResult::Failure;

// An endpoint at the other end of a local connection that does what a test says.
struct Fixture {
  explicit Fixture(HealthType type = HealthType::kHttp) {
    upstream.name = "app";
    health.type = type;
    health.timeout = Duration{5'000};
  }
  ~Fixture() { serving.cancel_all(); }

  ProbeResult probe() {
    const ProbeTarget target{HostPort::parse("127.0.0.1:8001").value(), "app.internal:8001", "localhost"};
    auto made = Prober::create(tls.loop, upstream, health, target, nullptr,
                               [this](net::Loop&, net::SocketAddress to, Duration) { return connected(to); });
    if (!made) throw std::runtime_error(describe(made.error()));
    ProbeResult result;
    const auto run = [](Prober& prober, ProbeResult& out) -> net::Task<void> { out = co_await prober.probe(); };
    tls.loop.run(run(**made, result));
    serving.cancel_all();
    return result;
  }

  net::Task<Result<net::StreamPtr>> connected(net::SocketAddress address) {
    ++connections;
    port = net::peer_of(address.storage).port;
    if (refusal) co_return fail(*refusal);
    auto [ours, theirs] = tls.loop.connected();
    serving.spawn(serve(std::move(theirs)));
    co_return std::move(ours);
  }

  net::Task<void> serve(net::StreamPtr stream) {
    if (!tls.keys.empty()) {
      if (!tls.server_context) tls.make_contexts();
      auto secured = net::TlsStream::accept(std::move(stream), *tls.server_context);
      (void)co_await secured->handshake(Duration{5'000});
      stream = std::move(secured);
    }
    if (http2) {
      co_await serve_http2(*stream);
      co_return;
    }
    while (stream->input().find("\r\n\r\n") == std::string_view::npos) {
      const auto filled = co_await stream->fill();
      if (!filled || *filled == 0) co_return;
    }
    asked = std::string(stream->input());
    (void)co_await stream->write(answer);
    if (!stays) co_return;
    (void)co_await stream->fill();
    (void)co_await stream->fill();
  }

  net::Task<void> serve_http2(net::Stream& stream) {
    std::int32_t answered = 0;
    for (;;) {
      for (const auto& [id, request] : http2->requests()) {
        if (id <= answered || !request.whole) continue;
        answered = id;
        asked = request.body;
        grpc(id);
      }
      if (const std::string up = http2->take(); !up.empty()) (void)co_await stream.write(up);
      const auto filled = co_await stream.fill();
      if (!filled || *filled == 0) co_return;
      http2->receive(stream.input());
      stream.consume(stream.input().size());
    }
  }

  test::TlsEnds tls;
  Options upstream;
  HealthOptions health;
  std::optional<Error> refusal;
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nready";
  bool stays = true;  // does not close after the answer
  std::optional<test::Http2Server> http2;
  std::function<void(std::int32_t)> grpc;
  std::string asked;
  std::uint16_t port = 0;
  int connections = 0;
  net::TaskGroup serving;
};

TEST(Prober, AsksAsTheOptionsSay) {
  Fixture f;
  f.health.path = "/healthz?deep=1";
  f.health.method = "HEAD";
  f.health.headers = {{"X-Check", "yes"}, {"User-Agent", "me"}};
  f.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  const auto result = f.probe();
  EXPECT_TRUE(result.is_ok()) << result.reason;
  EXPECT_EQ(result.status, 200);
  EXPECT_TRUE(result.connect && result.first_byte);
  EXPECT_FALSE(result.tls);
  EXPECT_GE(result.total, *result.connect + *result.first_byte);
  EXPECT_EQ(f.asked,
            "HEAD /healthz?deep=1 HTTP/1.1\r\nHost: app.internal:8001\r\nUser-Agent: me\r\nX-Check: yes\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(f.port, 8001);
}

TEST(Prober, TakesTheHostAndThePortThatAreGiven) {
  Fixture f;
  f.health.host = "shop.com";
  f.health.port = 9000;
  EXPECT_TRUE(f.probe().is_ok());
  EXPECT_THAT(f.asked, HasSubstr("\r\nHost: shop.com\r\n"));
  EXPECT_EQ(f.port, 9000);
}

TEST(Prober, JudgesTheStatus) {
  Fixture f;
  f.answer = "HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n";
  auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kStatus);
  EXPECT_EQ(result.reason, "HTTP 503, expected 200-299");
  EXPECT_EQ(result.status, 503);
  f.health.expect_status = StatusSet::parse("503").value();
  EXPECT_TRUE(f.probe().is_ok());
}

TEST(Prober, LooksForTextAndPatternsInTheContent) {
  Fixture f;
  f.health.expect_body = "ead";
  f.health.expect_regex = "^r.*y$";
  EXPECT_TRUE(f.probe().is_ok());
  f.health.expect_body = "down";
  EXPECT_EQ(f.probe().reason, "HTTP 200, but the content lacks \"down\"");
  f.health.expect_body.clear();
  f.health.expect_regex = "^y";
  const auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kBody);
  EXPECT_EQ(result.reason, "HTTP 200, but the content does not match ^y");
}

TEST(Prober, LooksAtNoMoreThanTheBeginningOfALongContent) {
  Fixture f;
  const std::string filler(64 * 1024, 'x');
  f.answer = "HTTP/1.1 200 OK\r\n\r\nready" + filler + "late";
  f.stays = false;
  f.health.expect_body = "ready";
  EXPECT_TRUE(f.probe().is_ok());
  f.health.expect_body = "late";
  EXPECT_EQ(f.probe().failure, Failure::kBody);
}

TEST(Prober, TakesACutAnswerForNone) {
  Fixture f;
  f.stays = false;
  f.answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nready";
  auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kAnswer);
  EXPECT_THAT(result.reason, StartsWith("answer cut short: "));
  f.answer = "HTTP/1.1 200";
  result = f.probe();
  EXPECT_EQ(result.failure, Failure::kAnswer);
  EXPECT_EQ(result.reason, "connection closed too early");
  f.answer = "SSH-2.0-OpenSSH\r\n\r\n";
  result = f.probe();
  EXPECT_EQ(result.failure, Failure::kAnswer);
  EXPECT_THAT(result.reason, StartsWith("not an answer in HTTP"));
}

TEST(Prober, GivesUpWhenTheTimeIsOver) {
  Fixture f;
  f.health.timeout = Duration{100};
  f.answer.clear();
  auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kTimeout);
  EXPECT_EQ(result.reason, "no answer within 100ms");
  EXPECT_GE(result.total, std::chrono::milliseconds{100});
  f.answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nready";
  EXPECT_EQ(f.probe().reason, "answer not whole within 100ms");
}

TEST(Prober, FindsAnAnswerThatIsInTimeButSlow) {
  Fixture f;
  f.health.timeout = Duration{60'000};
  f.health.max_latency = Duration{60'000};
  EXPECT_TRUE(f.probe().is_ok());
  f.health.max_latency = Duration{1};
  // So long that the time is over whatever the machine does.
  f.answer = "HTTP/1.1 200 OK\r\n\r\n" + std::string(1, 'x');
  f.stays = true;
  f.health.timeout = Duration{100};
  EXPECT_EQ(f.probe().failure, Failure::kTimeout) << "the timeout is the stronger";
}

TEST(Prober, SaysWhyThereIsNoConnection) {
  Fixture f(HealthType::kTcp);
  f.refusal.emplace(ErrorCode::kConnectRefused, Side::kUpstream, Retry::kSafe, ECONNREFUSED);
  const auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kConnect);
  EXPECT_EQ(result.reason, "connection refused");
  EXPECT_FALSE(result.connect);
}

TEST(Prober, NeedsNoMoreThanAConnectionForTcp) {
  Fixture f(HealthType::kTcp);
  f.upstream.tls.enabled = true;
  f.upstream.protocol = Protocol::kHttp2;
  const auto result = f.probe();
  EXPECT_TRUE(result.is_ok()) << result.reason;
  EXPECT_EQ(f.asked, "");
}

TEST(Prober, ShowsTheCertificateOfTls) {
  for (const auto type : {HealthType::kTls, HealthType::kHttp}) {
    Fixture f(type);
    f.upstream.tls = f.tls.client_options;
    f.upstream.tls.enabled = true;
    f.tls.add_key({.names = {"DNS:localhost"}, .valid_to = 1000});
    const auto result = f.probe();
    EXPECT_TRUE(result.is_ok()) << result.reason;
    EXPECT_TRUE(result.tls);
    ASSERT_TRUE(result.certificate_end);
    const auto left = *result.certificate_end - std::chrono::system_clock::now();
    EXPECT_NEAR(static_cast<double>(std::chrono::duration_cast<std::chrono::seconds>(left).count()), 1000, 60);
  }
}

TEST(Prober, ShowsTheEndOfACertificateThatIsRefusedForIt) {
  Fixture f;
  f.upstream.tls = f.tls.client_options;
  f.upstream.tls.enabled = true;
  f.tls.add_key({.names = {"DNS:localhost"}, .valid_to = -100});
  const auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kTls);
  EXPECT_EQ(result.reason, "certificate refused: localhost: certificate has expired");
  ASSERT_TRUE(result.certificate_end);
  EXPECT_LT(*result.certificate_end, std::chrono::system_clock::now());
}

TEST(Prober, AgreesUponHttp1InOneConnection) {
  Fixture f;
  f.upstream.tls = f.tls.client_options;
  f.upstream.tls.enabled = true;
  f.upstream.protocol = Protocol::kAuto;
  f.tls.serve({"DNS:localhost"});
  const auto result = f.probe();
  EXPECT_TRUE(result.is_ok()) << result.reason;
  EXPECT_EQ(f.connections, 1);
}

TEST(Prober, TellsThatAConnectionIsOurOwn) {
  Fixture f;
  f.upstream.proxy_protocol = ProxyProtocol::kV1;
  EXPECT_TRUE(f.probe().is_ok());
  EXPECT_THAT(f.asked, StartsWith("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n"));
}

struct GrpcFixture : Fixture {
  GrpcFixture() : Fixture(HealthType::kGrpc) {
    http2.emplace();
    grpc = [this](std::int32_t id) { http2->answer(id, head, body, true, trailers); };
  }
  test::Lines head{{":status", "200"}, {"content-type", "application/grpc+proto"}};
  std::optional<std::string> body = "\0\0\0\0\2\x08\1"s;
  test::Lines trailers{{"grpc-status", "0"}};
};

TEST(Prober, AsksTheGrpcHealthService) {
  GrpcFixture f;
  f.health.grpc_service = "shop.Cart";
  const auto result = f.probe();
  EXPECT_TRUE(result.is_ok()) << result.reason;
  EXPECT_EQ(result.reason, "SERVING");
  EXPECT_EQ(f.asked, "\0\0\0\0\x0b\x0a\x09shop.Cart"s);
  const auto& request = f.http2->requests().begin()->second;
  EXPECT_THAT(request.head, testing::Contains(std::pair(":path"s, "/grpc.health.v1.Health/Check"s)));
  EXPECT_THAT(request.head, testing::Contains(std::pair("te"s, "trailers"s)));
}

TEST(Prober, TakesNothingButServingForHealthy) {
  GrpcFixture f;
  f.body = "\0\0\0\0\2\x08\2"s;
  EXPECT_EQ(f.probe().reason, "NOT_SERVING");
  f.http2.emplace();
  f.body = "\0\0\0\0\2\x08"s;
  EXPECT_EQ(f.probe().reason, "an answer that is no HealthCheckResponse");
  f.http2.emplace();
  f.body = "\0\0\0\0\2\x08\1"s;
  f.trailers.clear();
  EXPECT_EQ(f.probe().reason, "an answer without grpc-status");
  f.http2.emplace();
  f.head = {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "12"}};
  f.body.reset();
  EXPECT_EQ(f.probe().reason, "the server has no health service");
  f.http2.emplace();
  f.head = {{":status", "404"}, {"content-type", "text/plain"}};
  const auto result = f.probe();
  EXPECT_EQ(result.reason, "HTTP 404, and no gRPC");
  EXPECT_EQ(result.failure, Failure::kServing);
}

TEST(Prober, FindsThatAServerSpeaksNoHttp2) {
  GrpcFixture f;
  f.http2.reset();
  f.answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
  f.stays = false;
  const auto result = f.probe();
  EXPECT_EQ(result.failure, Failure::kAnswer);
  EXPECT_EQ(result.reason, "the server does not speak HTTP/2");
}

TEST(Prober, RefusesAPatternThatIsNone) {
  Fixture f;
  f.health.expect_regex = "(";
  EXPECT_THROW(f.probe(), std::runtime_error);
}

// Whatever it waits for.
TEST(Prober, MayBeDestroyedAtAnyTime) {
  for (int turns = 0; turns < 20; ++turns) {
    GrpcFixture f;
    const ProbeTarget target{HostPort::parse("127.0.0.1:8001").value(), "a", "localhost"};
    auto made = Prober::create(f.tls.loop, f.upstream, f.health, target, nullptr,
                               [&f](net::Loop&, net::SocketAddress to, Duration) { return f.connected(to); });
    ASSERT_TRUE(made.has_value());
    const auto run = [](Prober& prober) -> net::Task<void> { (void)co_await prober.probe(); };
    net::Child<void> child(run(**made));
    for (int i = 0; i < turns; ++i) f.tls.loop.loop().poll();
    child.cancel();
    made->reset();
    f.tls.loop.loop().poll();
  }
}

}  // namespace
}  // namespace rproxy::upstream
