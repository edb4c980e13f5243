// From endpoint to endpoint: what backends get to see of a request that fails at some of them.
#include "proxy/tries.h"

#include "base/log.h"
#include "exchange/error_page.h"
#include "proxy/proxy.h"
#include "unit/upstream/http2_fixture.h"

namespace rproxy::proxy {
namespace {

using upstream::Http2Peer;

struct Fixture : upstream::Http2Fixture {
  using Choose = std::function<void(upstream::Options&)>;
  explicit Fixture(std::size_t endpoints, const Choose& choose = {})
      : Http2Fixture(
            [&](upstream::Options& options) {
              options.policy.kind = balance::PolicyKind::kRoundRobin;
              options.retry.on.statuses.set(503);
              if (choose) choose(options);
            },
            endpoints) {
    log::set_level(LogLevel::kOff);
    on_news = [this](Http2Peer& peer) {
      while (const auto id = peer.next()) {
        ++asked;
        answer(peer, id, asked);
      }
    };
  }
  ~Fixture() { log::set_level(level_before); }

  struct Got {
    std::uint16_t status = 0;
    std::string body;
    std::uint32_t retries = 0;
  };
  net::Task<void> ask(exchange::Request& request, Got& got) {
    auto response = co_await proxy.handle(request);
    got.status = response ? response->head.status : exchange::status_of(response.error());
    got.retries = request.trace.retries;
    bool ended = !response || response->body == nullptr;
    while (!ended) {
      auto slice = co_await response->body->read();
      if (!slice) break;
      got.body += slice->data;
      ended = slice->last;
    }
  }
  Got ask(std::string_view method = "GET", std::string_view content = {}) {
    Got got;
    exchange::StringBody body(content);
    auto made = request(method);
    if (!content.empty()) made.body = &body;
    loop.run(ask(made, got));
    return got;
  }
  std::size_t in_flight() const {
    std::size_t count = 0;
    const auto set = upstream->endpoints();
    for (const auto* state : set->states()) count += state->in_flight();
    return count;
  }

  int asked = 0;
  std::function<void(Http2Peer&, std::int32_t, int)> answer;
  LogLevel level_before = log::level();
  Proxy::Plan plan;
  ForwardingOptions forwarding;
  Proxy proxy{plan, forwarding, *pool};
};

void say(Http2Peer& peer, std::int32_t id, const std::string& status, const std::string& body) {
  peer.server.answer(id, {{":status", status}}, body);
}

TEST(Tries, AStatusToRetryIsAskedForElsewhere) {
  Fixture f(2);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    say(peer, id, n == 1 ? "503" : "200", n == 1 ? "busy" : "fine");
  };
  const auto got = f.ask();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "fine");
  EXPECT_EQ(got.retries, 1U);
  EXPECT_EQ(f.connections, 2) << "the other endpoint";
  EXPECT_EQ(f.in_flight(), 0U);
}

TEST(Tries, TheLastBadAnswerIsPassedOnWhereNoBetterCame) {
  Fixture f(3);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) { say(peer, id, "503", "busy " + std::to_string(n)); };
  const auto got = f.ask();
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.body, "busy 3");
  EXPECT_EQ(f.asked, 3);
  EXPECT_EQ(f.in_flight(), 0U);
}

TEST(Tries, ABadAnswerIsBetterThanNone) {
  Fixture f(3);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    if (n > 1) return peer.server.reset(id, NGHTTP2_INTERNAL_ERROR);
    say(peer, id, "503", "busy");
  };
  const auto got = f.ask();
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.body, "busy");
  EXPECT_EQ(f.asked, 3);
}

TEST(Tries, TheOnlyEndpointIsAskedAgainAsLongAsAttemptsAreLeft) {
  Fixture f(1);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    if (n < 3) return peer.server.reset(id, NGHTTP2_INTERNAL_ERROR);
    say(peer, id, "200", "at last");
  };
  EXPECT_EQ(f.ask().body, "at last");
  EXPECT_EQ(f.asked, 3);
}

// A request that fails wherever it goes has not shown three times that its endpoint is broken.
TEST(Tries, OneRequestDoesNotHaveItsEndpointLeftAlone) {
  Fixture f(1);
  f.answer = [](Http2Peer& peer, std::int32_t id, int) { peer.server.reset(id, NGHTTP2_INTERNAL_ERROR); };
  EXPECT_EQ(f.ask().status, 502);
  EXPECT_EQ(f.asked, 3);
  EXPECT_FALSE(f.upstream->endpoints()->states()[0]->is_ejected(f.loop.loop().now()));
}

TEST(Tries, OtherMethodsAreTriedAgainWhereTheyAreNamed) {
  for (const bool is_named : {false, true}) {
    Fixture f(2, [&](upstream::Options& options) {
      if (is_named) options.retry.methods = {"POST"};
    });
    f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
      if (n == 1) return peer.server.reset(id, NGHTTP2_INTERNAL_ERROR);
      say(peer, id, "200", peer.server.requests().at(id).body);
    };
    const auto got = f.ask("POST", "content");
    EXPECT_EQ(got.status, is_named ? 200 : 502);
    EXPECT_EQ(f.asked, is_named ? 2 : 1);
    if (is_named) {
      EXPECT_EQ(got.body, "content");
    }
  }
}

TEST(Tries, TheBudgetIsForAnswersToo) {
  Fixture f(2, [](upstream::Options& options) {
    options.retry.budget_percent = 0;
    options.retry.budget_min = 5;
  });
  f.answer = [](Http2Peer& peer, std::int32_t id, int) { say(peer, id, "503", "busy"); };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(f.ask().status, 503);
  EXPECT_EQ(f.asked, 25);
}

TEST(Tries, AnAttemptThatTakesTooLongGoesElsewhere) {
  Fixture f(2, [](upstream::Options& options) {
    options.retry.per_try_timeout = Duration{50};
    options.retry.on.timeout = true;
  });
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    if (n > 1) say(peer, id, "200", "soon");
  };
  const auto got = f.ask();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "soon");
  EXPECT_EQ(f.asked, 2);
  EXPECT_EQ(f.in_flight(), 0U);
}

TEST(Tries, AnAttemptThatTakesTooLongIsTheLastWhereTimeoutsAreNotTriedAgain) {
  Fixture f(2, [](upstream::Options& options) { options.retry.per_try_timeout = Duration{50}; });
  f.answer = [](Http2Peer&, std::int32_t, int) {};
  EXPECT_EQ(f.ask().status, 504);
  EXPECT_EQ(f.asked, 1);
}

// ---- A second try beside the first.

struct HedgeFixture : Fixture {
  explicit HedgeFixture(std::size_t endpoints, const Choose& choose = {})
      : Fixture(endpoints, [&](upstream::Options& options) {
          options.retry.hedge.emplace().after = Duration{50};
          if (choose) choose(options);
        }) {}
};

TEST(Hedging, TheFirstAnswerWinsAndTheOtherTryEnds) {
  HedgeFixture f(2);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    if (n == 2) say(peer, id, "200", "second");
  };
  const auto got = f.ask();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "second");
  EXPECT_EQ(f.asked, 2);
  EXPECT_EQ(f.in_flight(), 0U) << "the loser is still asked";
  f.turns();
  EXPECT_EQ(f.peers[0]->server.requests().at(1).closed, NGHTTP2_CANCEL);
}

// Who is never answered by it would otherwise never know that it is slow.
TEST(Hedging, TheLoserIsKnownToBeSlow) {
  HedgeFixture f(2);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    if (n == 2) say(peer, id, "200", "second");
  };
  const auto set = f.upstream->endpoints();
  EXPECT_EQ(f.ask().status, 200);
  const auto one = set->states()[0]->latency();
  const auto other = set->states()[1]->latency();
  EXPECT_GE(std::max(one, other), std::chrono::milliseconds{45});
  EXPECT_LT(std::min(one, other), std::chrono::milliseconds{45});
}

TEST(Hedging, AnAnswerInTimeIsTheOnlyTry) {
  HedgeFixture f(2);
  f.answer = [](Http2Peer& peer, std::int32_t id, int) { say(peer, id, "200", "first"); };
  EXPECT_EQ(f.ask().body, "first");
  EXPECT_EQ(f.asked, 1);
}

TEST(Hedging, AFailureDoesNotWin) {
  HedgeFixture f(2);
  Http2Peer* slow = nullptr;
  std::int32_t waiting = 0;
  f.answer = [&](Http2Peer& peer, std::int32_t id, int n) {
    if (n == 1) {
      slow = &peer;
      waiting = id;
      return;
    }
    say(peer, id, "503", "busy");
  };
  // The first answers after the second has failed.
  const auto later = [&]() -> net::Task<void> {
    while (f.asked < 2) co_await net::NextTurn(f.loop);
    for (int i = 0; i < 20; ++i) co_await net::NextTurn(f.loop);
    say(*slow, waiting, "200", "late but good");
    const std::string up = slow->server.take();
    (void)co_await slow->stream->write(up);
  };
  Fixture::Got got;
  auto made = f.request();
  f.loop.run(f.ask(made, got), later());
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "late but good");
  const auto set = f.upstream->endpoints();
  const auto slower = std::ranges::max_element(set->states(), {}, &balance::EndpointState::latency);
  EXPECT_EQ(made.trace.endpoint, (*slower)->name()) << "whose answer it is";
  EXPECT_EQ(f.asked, 2);
  EXPECT_EQ(f.in_flight(), 0U);
}

TEST(Hedging, WhereTheFirstFailsTheSecondMayStillAnswer) {
  HedgeFixture f(2);
  Http2Peer* first = nullptr;
  f.answer = [&](Http2Peer& peer, std::int32_t id, int n) {
    if (n == 1) {
      first = &peer;
      return;
    }
    first->stream->abort(true);
    say(peer, id, "200", "second");
  };
  EXPECT_EQ(f.ask().body, "second");
  EXPECT_EQ(f.asked, 2);
}

TEST(Hedging, ContentIsSentTwiceOnceItIsWhole) {
  HedgeFixture f(2);
  f.answer = [](Http2Peer& peer, std::int32_t id, int n) {
    if (n == 2) say(peer, id, "200", peer.server.requests().at(id).body);
  };
  EXPECT_EQ(f.ask("PUT", "content").body, "content");
}

TEST(Hedging, IsNotForWhatMayBeProcessedOnceOnly) {
  HedgeFixture f(2, [](upstream::Options& options) { options.retry.per_try_timeout = Duration{200}; });
  f.answer = [](Http2Peer&, std::int32_t, int) {};
  EXPECT_EQ(f.ask("POST", "content").status, 504);
  EXPECT_EQ(f.asked, 1);
}

TEST(Hedging, KeepsTheBudgetAndItsOwnLimit) {
  for (const bool by_budget : {false, true}) {
    HedgeFixture f(2, [&](upstream::Options& options) {
      options.retry.per_try_timeout = Duration{200};
      options.retry.budget_percent = 0;
      options.retry.budget_min = by_budget ? 1 : 100;
      options.retry.hedge->max = by_budget ? 100 : 1;
    });
    f.answer = [](Http2Peer&, std::int32_t, int) {};
    std::vector<Fixture::Got> got(5);
    std::vector<exchange::Request> made(5);
    for (auto& one : made) one = f.request();
    for (std::size_t i = 0; i < 5; ++i) f.loop.spawn(f.ask(made[i], got[i]));
    f.loop.run();
    EXPECT_EQ(f.asked, 6) << by_budget;
    EXPECT_EQ(f.in_flight(), 0U);
  }
}

TEST(Hedging, NeedsAnotherEndpoint) {
  HedgeFixture f(1, [](upstream::Options& options) { options.retry.per_try_timeout = Duration{200}; });
  f.answer = [](Http2Peer&, std::int32_t, int) {};
  EXPECT_EQ(f.ask().status, 504);
  EXPECT_EQ(f.asked, 1);
}

// What waits for the one connection that there may be finds it full, and waits on.
TEST(Room, OnConnectionsThatTakeFewAtOnceIsWaitedFor) {
  Fixture f(1, [](upstream::Options& options) {
    options.limits.max_connections = 1;
    options.http2.protocol.max_streams = 2;
  });
  f.answer = [](Http2Peer& peer, std::int32_t id, int) { say(peer, id, "200", "fine"); };
  constexpr std::size_t kRequests = 20;
  std::vector<Fixture::Got> got(kRequests);
  std::vector<exchange::Request> made(kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    made[i] = f.request();
    f.loop.spawn(f.ask(made[i], got[i]));
  }
  f.loop.run();
  for (const auto& each : got) EXPECT_EQ(each.status, 200);
  EXPECT_EQ(f.connections, 1);
  EXPECT_EQ(f.asked, static_cast<int>(kRequests));
  EXPECT_EQ(f.in_flight(), 0U);
}

}  // namespace
}  // namespace rproxy::proxy
