// One client connection from its first byte to its end, with a handler that answers at once.
#include "downstream/http1_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "downstream/http1_exchange.h"
#include "exchange/string_body.h"
#include "support/test_loop.h"

namespace rproxy::downstream {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Content that breaks off.
class BrokenBody final : public exchange::Body {
 public:
  explicit BrokenBody(std::string_view first) : first_(first) {}
  net::ValueTask<Result<exchange::Slice>> read() override {
    if (first_.empty())
      return Result<exchange::Slice>(fail(ErrorCode::kTruncated, Side::kUpstream, Retry::kNever, "upstream"));
    return Result<exchange::Slice>(exchange::Slice{std::exchange(first_, {}), false});
  }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kFixed, 100}; }

 private:
  std::string_view first_;
};

class Hello final : public exchange::Handler {
 public:
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override {
    exchange::Response response;
    if (request.head.path == "/fail") co_return fail(ErrorCode::kConnectRefused, Side::kUpstream, Retry::kNever, "u");
    if (request.head.path == "/close") response.close = true;
    if (request.head.path == "/broken") {
      response.body = std::make_unique<BrokenBody>("some");
    } else if (request.head.path == "/broken-at-once") {
      response.body = std::make_unique<BrokenBody>("");
    } else {
      response.body = std::make_unique<exchange::StringBody>("hello");
    }
    co_return response;
  }
};

struct Line {
  std::uint16_t status;
  std::string termination;
  std::uint64_t received;
  std::uint64_t sent;
  std::uint64_t body_sent;
};

struct Lines final : exchange::Observer {
  void finished(const exchange::Request&, const exchange::Outcome& outcome) override {
    all.push_back({outcome.status, std::string(outcome.termination), outcome.bytes_received, outcome.bytes_sent,
                   outcome.body_bytes_sent});
  }
  std::vector<Line> all;
};

struct Fixture {
  test::TestLoop loop;
  Options options;
  Hello handler;
  Lines lines;
  Context context{options, loop, handler, &lines};
  std::string answer{};
  bool ended = false;

  // Everything the client sends, at once; then it waits for the end.
  void talk(std::string_view sent, bool end = true) {
    auto [client, server] = loop.connected();
    exchange::Client who;
    who.peer.ip = IpAddress::parse("192.0.2.7").value();
    loop.run(converse(std::move(client), sent, end), serve_http1(std::move(server), who, context));
  }
  net::Task<void> converse(net::StreamPtr client, std::string_view sent, bool end) {
    (void)co_await client->write(sent);
    if (end) client->shutdown_write();
    for (;;) {
      const auto filled = co_await client->fill();
      answer += client->input();
      client->consume(client->input().size());
      if (!filled || *filled == 0) break;
      if (!end && answer.ends_with("hello")) context.idle.drain();
    }
    ended = true;
  }
  int answers() const {
    int count = 0;
    for (auto at = answer.find("HTTP/1.1 "); at != std::string::npos; at = answer.find("HTTP/1.1 ", at + 1)) ++count;
    return count;
  }
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string times(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Http1Server, AnswersPipelinedRequestsInOneExchange) {
  Fixture f;
  f.talk(times(kGet, 5));
  EXPECT_EQ(f.answers(), 5);
  EXPECT_EQ(f.lines.all.size(), 5U);
  // The next connection reuses what the last one left.
  EXPECT_EQ(f.context.spare.size(), 1U);
  f.talk(kGet);
  EXPECT_EQ(f.context.spare.size(), 1U);
}

// RFC 9112 9.3.
TEST(Http1Server, KeepsAConnectionAsBothSidesWish) {
  struct Case {
    const char* request;
    int answers;  // to two such requests
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 2},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Close, x\r\n\r\n", 1},
      {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 1},
      {"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 2},
      {"GET /close HTTP/1.1\r\nHost: a\r\n\r\n", 1},
      {"GET / HTTP/1.1\r\n\r\n", 1},  // malformed: who knows what follows
  };
  for (const Case& each : cases) {
    Fixture f;
    f.talk(times(each.request, 2));
    EXPECT_EQ(f.answers(), each.answers) << each.request;
    EXPECT_TRUE(f.ended);
  }
}

TEST(Http1Server, EndsAConnectionAfterItsLastRequest) {
  Fixture f;
  f.options.requests_per_connection = 3;
  f.talk(times(kGet, 5), false);
  EXPECT_EQ(f.answers(), 3);
  // The last answer says so.
  EXPECT_THAT(f.answer.substr(f.answer.rfind("HTTP/1.1")), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(f.answer.find("Connection: close"), f.answer.rfind("Connection: close"));
}

TEST(Http1Server, TakesNoSecondRequestWhileDraining) {
  Fixture f;
  f.context.draining = true;
  f.talk(times(kGet, 2), false);
  EXPECT_EQ(f.answers(), 1);
}

TEST(Http1Server, EndsIdleConnectionsWhenAsked) {
  Fixture f;
  f.talk(kGet, false);  // the client interrupts the idle connection once it has its answer
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.answers(), 1);
  EXPECT_THAT(f.lines.all, testing::SizeIs(1));
}

TEST(IdleConnections, AreTakenOutInAnyOrderAndToldWhileTheyAreIn) {
  IdleConnections list;
  int told = 0;
  const net::Waiter count{[](void* number) { ++*static_cast<int*>(number); }, &told};
  auto first = std::make_unique<IdleConnections::Entry>(list, count);
  auto second = std::make_unique<IdleConnections::Entry>(list, count);
  auto third = std::make_unique<IdleConnections::Entry>(list, count);
  list.drain();
  EXPECT_EQ(told, 3);
  second.reset();
  list.drain();
  EXPECT_EQ(told, 5);
  third.reset();
  auto fourth = std::make_unique<IdleConnections::Entry>(list, count);
  first.reset();
  fourth.reset();
  list.drain();
  EXPECT_EQ(told, 5);
}

TEST(IdleConnections, MayEndWhenTold) {
  struct Ending {
    explicit Ending(IdleConnections& list)
        : entry(std::in_place, list, net::Waiter{[](void* self) { static_cast<Ending*>(self)->entry.reset(); }, this}) {
    }
    std::optional<IdleConnections::Entry> entry;
  };
  IdleConnections list;
  Ending one(list);
  Ending other(list);
  list.drain();
  EXPECT_FALSE(one.entry);
  EXPECT_FALSE(other.entry);
}

TEST(Http1Server, TellsHowEachExchangeEnded) {
  struct Case {
    std::string request;
    int status;
    const char* termination;
  };
  const Case cases[] = {
      {std::string(kGet), 200, "ok"},
      {"GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", 502, "upstream_refused"},
      {"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", 200, "upstream_truncated"},
      {"GET /broken-at-once HTTP/1.1\r\nHost: a\r\n\r\n", 200, "upstream_truncated"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "client_bad_request"},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "client_bad_request"},
      {"GET /" + std::string(10'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "client_bad_request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", 431, "client_bad_request"},
      {"GET / HTTP/1.1\r\nHo", 400, "client_closed"},
  };
  for (const Case& each : cases) {
    Fixture f;
    f.talk(each.request);
    ASSERT_EQ(f.lines.all.size(), 1U) << each.request.substr(0, 40);
    const Line& line = f.lines.all[0];
    EXPECT_EQ(line.status, each.status) << each.request.substr(0, 40);
    EXPECT_EQ(line.termination, each.termination) << each.request.substr(0, 40);
    // What the line counts is what was on the wire.
    EXPECT_EQ(line.sent, f.answer.size()) << f.answer;
    const auto content = f.answer.find("\r\n\r\n");
    EXPECT_EQ(line.body_sent, content == std::string::npos ? 0 : f.answer.size() - content - 4);
    if (!f.answer.empty()) {
      EXPECT_THAT(f.answer, StartsWith("HTTP/1.1 " + std::to_string(each.status) + " "));
    }
  }
}

// RFC 9112 2.2: one empty line in front of a request is ignored.
TEST(Http1Server, OwesNothingToAConnectionThatSaidNothing) {
  for (const char* sent : {"", "\r\n"}) {
    Fixture f;
    f.talk(sent);
    EXPECT_EQ(f.answer, "");
    EXPECT_THAT(f.lines.all, testing::IsEmpty());
  }
}

TEST(Http1Server, CountsWhatItReceived) {
  Fixture f;
  const std::string request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345";
  f.talk(request + std::string(kGet));
  ASSERT_EQ(f.lines.all.size(), 2U);
  EXPECT_EQ(f.lines.all[0].received, request.size());
  EXPECT_EQ(f.lines.all[1].received, kGet.size());
}

// Answers with its name, in two slices, and has another take its place between them.
class Leaving final : public exchange::Handler {
 public:
  Leaving(std::string_view name, std::function<void()> leave) : name_(name), leave_(std::move(leave)) {}
  net::Task<Result<exchange::Response>> handle(exchange::Request&) override {
    exchange::Response response;
    response.body = std::make_unique<Name>(*this);
    co_return response;
  }

 private:
  class Name final : public exchange::Body {
   public:
    explicit Name(Leaving& owner) : owner_(owner) {}
    net::ValueTask<Result<exchange::Slice>> read() override {
      if (std::exchange(begun_, true)) return Result<exchange::Slice>(exchange::Slice{".", true});
      owner_.leave_();
      return Result<exchange::Slice>(exchange::Slice{owner_.name_, false});
    }
    http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }

   private:
    Leaving& owner_;
    bool begun_ = false;
  };

  std::string_view name_;
  std::function<void()> leave_;
};

TEST(Http1Server, ARequestStandsOnWhatItHasBegunWith) {
  Fixture f;
  Users old_users;
  Users new_users;
  std::vector<std::size_t> counts;
  Leaving fresh("new", [&] { counts.push_back(old_users.count()); });
  Leaving old("old", [&] {
    f.context.answerer = {&fresh, Use(new_users)};
    counts.push_back(old_users.count());
  });
  f.context.answerer = {&old, Use(old_users)};
  f.talk(times(kGet, 2));
  EXPECT_THAT(f.answer, HasSubstr("old\r\n1\r\n.\r\n0"));
  EXPECT_THAT(f.answer, HasSubstr("new\r\n1\r\n.\r\n0"));
  // In the midst of the first answer only the request stands on the old one, and nothing does during the second.
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(new_users.count(), 1U);
}

}  // namespace
}  // namespace rproxy::downstream
