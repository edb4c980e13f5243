// Clients that belong to an endpoint: what the cookie says, and what it can't be made to say.
#include "proxy/sticky.h"

#include <set>

#include "base/log.h"
#include "exchange/error_page.h"
#include "proxy/proxy.h"
#include "unit/upstream/http2_fixture.h"

namespace rproxy::proxy {
namespace {

using upstream::Http2Peer;

constexpr const char* kSecret = "a secret of more than 16 bytes";

struct Fixture : upstream::Http2Fixture {
  explicit Fixture(std::size_t endpoints, const std::function<void(upstream::StickyOptions&)>& choose = {})
      : Http2Fixture(
            [&](upstream::Options& options) {
              options.policy.kind = balance::PolicyKind::kRoundRobin;
              options.sticky.emplace().secret = kSecret;
              if (choose) choose(*options.sticky);
            },
            endpoints) {
    log::set_level(LogLevel::kOff);
    on_news = [](Http2Peer& peer) {
      while (const auto id = peer.next()) peer.server.answer(id, {{":status", "200"}}, "hello");
    };
  }
  ~Fixture() { log::set_level(level_before); }

  struct Got {
    std::string endpoint;
    std::string set_cookie;
    std::string cookie;  // "name=value" to send back
  };
  net::Task<void> ask(exchange::Request& request, Got& got) {
    auto response = co_await proxy.handle(request);
    if (!response) co_return;
    got.endpoint = request.trace.endpoint;
    got.set_cookie = response->head.fields.get(http::FieldId::kSetCookie);
    got.cookie = got.set_cookie.substr(0, got.set_cookie.find(';'));
  }
  Got ask(std::string_view cookie = {}) {
    Got got;
    auto made = request();
    if (!cookie.empty()) made.head.fields.add(http::FieldId::kCookie, cookie);
    loop.run(ask(made, got));
    return got;
  }
  // What the last request looked like to its endpoint.
  std::string cookies_seen() {
    std::string seen;
    for (const auto& peer : peers) {
      for (const auto& [id, request] : peer->server.requests()) {
        for (const auto& [name, value] : request.head) {
          if (name == "cookie") seen += value + "|";
        }
      }
    }
    return seen;
  }

  LogLevel level_before = log::level();
  Proxy::Plan plan;
  ForwardingOptions forwarding;
  Proxy proxy{plan, forwarding, *pool};
};

TEST(Sticky, AClientStaysAtItsEndpoint) {
  Fixture f(3);
  const auto first = f.ask();
  ASSERT_FALSE(first.cookie.empty());
  for (int i = 0; i < 10; ++i) {
    const auto next = f.ask("a=b; " + first.cookie + "; c=d");
    EXPECT_EQ(next.endpoint, first.endpoint);
    EXPECT_EQ(next.set_cookie, "") << "it knows";
  }
  EXPECT_EQ(f.cookies_seen().find("rproxy_backend"), std::string::npos) << "that is between us and the client";
  EXPECT_NE(f.cookies_seen().find("a=b"), std::string::npos);
}

TEST(Sticky, TheCookieNamesNobodyAndHasItsAttributes) {
  Fixture f(1);
  const auto got = f.ask();
  EXPECT_THAT(got.set_cookie, testing::MatchesRegex("rproxy_backend=[0-9a-f]{48}; Path=/; HttpOnly; SameSite=Lax"));
  Fixture other(1, [](upstream::StickyOptions& options) {
    options.cookie = "at";
    options.lifetime = Duration{3'600'000};
    options.path = "/shop";
    options.secure = true;
  });
  EXPECT_THAT(other.ask().set_cookie,
              testing::MatchesRegex("at=[0-9a-f]{48}; Path=/shop; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"));
}

TEST(Sticky, WhoHasTheSecretUnderstandsIt) {
  const auto first = Fixture(3).ask();
  Fixture second(3);
  second.ask();
  EXPECT_EQ(second.ask(first.cookie).endpoint, first.endpoint);
  Fixture stranger(3, [](upstream::StickyOptions& options) { options.secret = "another secret of 16 bytes and more"; });
  EXPECT_NE(stranger.ask(first.cookie).set_cookie, "");
}

TEST(Sticky, NothingElseIsBelieved) {
  Fixture f(2);
  std::set<std::string> values;
  for (int i = 0; i < 2; ++i) values.insert(f.ask().cookie);
  ASSERT_EQ(values.size(), 2U);
  const std::string good = *values.begin();
  for (std::size_t at = good.find('=') + 1; at < good.size(); ++at) {
    std::string forged = good;
    forged[at] = forged[at] == '0' ? '1' : '0';
    EXPECT_NE(f.ask(forged).set_cookie, "") << forged;
  }
  const std::string tag = good.substr(0, good.find('=') + 1 + 16);
  for (const std::string& forged : {std::string("rproxy_backend="), tag, good + "0", tag + std::string(32, '0'),
                                    tag + values.rbegin()->substr(tag.size())}) {
    EXPECT_NE(f.ask(forged).set_cookie, "") << forged;
  }
}

TEST(Sticky, AClientWhoseEndpointDiesGetsAnother) {
  Fixture f(2);
  const auto first = f.ask();
  f.on_news = [&](Http2Peer& peer) {
    while (const auto id = peer.next()) {
      if (&peer == f.peers[0].get()) {
        peer.server.reset(id, NGHTTP2_INTERNAL_ERROR);
      } else {
        peer.server.answer(id, {{":status", "200"}}, "hello");
      }
    }
  };
  const auto moved = f.ask(first.cookie);
  EXPECT_NE(moved.endpoint, first.endpoint);
  ASSERT_NE(moved.cookie, "");
  EXPECT_NE(moved.cookie, first.cookie);
  EXPECT_EQ(f.ask(moved.cookie).endpoint, moved.endpoint);
}

TEST(Sticky, AnEndpointThatHasGoneIsNobodysAnyMore) {
  Fixture f(2);
  const auto first = f.ask();
  const auto set = f.upstream->endpoints();
  std::vector<upstream::EndpointPtr> rest;
  for (const auto& endpoint : set->endpoints()) {
    if (endpoint->state.name() != first.endpoint) rest.push_back(endpoint);
  }
  f.upstream->replace(rest);
  const auto moved = f.ask(first.cookie);
  EXPECT_EQ(moved.endpoint, rest.at(0)->state.name());
  EXPECT_NE(moved.set_cookie, "");
}

TEST(Sticky, ADrainingEndpointKeepsItsClientsAndADisabledOneDoesNot) {
  Fixture f(3);
  const auto first = f.ask();
  const auto set = f.upstream->endpoints();
  balance::EndpointState* home = nullptr;
  for (auto* state : set->states()) {
    if (state->name() == first.endpoint) home = state;
  }
  ASSERT_NE(home, nullptr);
  home->set_admin_state(balance::AdminState::kDraining, f.loop.loop().now());
  for (int i = 0; i < 6; ++i) {
    EXPECT_NE(f.ask().endpoint, first.endpoint) << "new clients go elsewhere";
    EXPECT_EQ(f.ask(first.cookie).endpoint, first.endpoint);
  }
  home->set_admin_state(balance::AdminState::kDisabled, f.loop.loop().now());
  const auto moved = f.ask(first.cookie);
  EXPECT_NE(moved.endpoint, first.endpoint);
  EXPECT_NE(moved.set_cookie, "");
}

// It takes the next one again: the client has not moved.
TEST(Sticky, AFullEndpointKeepsItsClientThoughAnotherAnswers) {
  Fixture f(2);
  const auto first = f.ask();
  const auto set = f.upstream->endpoints();
  for (auto* state : set->states()) {
    if (state->name() != first.endpoint) continue;
    state->set_max_connections(1);
    ASSERT_TRUE(state->try_begin());
    const auto other = f.ask(first.cookie);
    EXPECT_NE(other.endpoint, first.endpoint);
    EXPECT_EQ(other.set_cookie, "");
    state->end();
  }
  EXPECT_EQ(f.ask(first.cookie).endpoint, first.endpoint);
}

}  // namespace
}  // namespace rproxy::proxy
