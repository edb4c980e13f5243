// Which sockets a reload keeps.
#include "server/listener_plan.h"

#include <gtest/gtest.h>

namespace rproxy::server {
namespace {

config::Listener listener(const std::string& address, const std::string& name = {}) {
  config::Listener out;
  out.name = name;
  out.listen.address = HostPort::parse(address).value();
  return out;
}

LiveListener live(const std::string& asked, const std::string& bound, const std::string& name = {}) {
  return {0, listener(asked, name), HostPort::parse(bound).value()};
}

using Matches = std::vector<std::optional<std::size_t>>;

TEST(MatchListeners, GoesByTheAddressWhateverTheOrder) {
  const std::vector<LiveListener> now{live("127.0.0.1:80", "127.0.0.1:80"), live("[::1]:80", "[::1]:80"),
                                      live("unix:/run/a", "unix:/run/a")};
  EXPECT_EQ(match_listeners({listener("unix:/run/a"), listener("127.0.0.1:81"), listener("127.0.0.1:80")}, now),
            (Matches{2, std::nullopt, 0}));
  EXPECT_EQ(match_listeners({}, now), Matches{});
  EXPECT_EQ(match_listeners({listener("127.0.0.1:80")}, {}), Matches{std::nullopt});
}

TEST(MatchListeners, TakesNoneTwice) {
  const std::vector<LiveListener> now{live("127.0.0.1:0", "127.0.0.1:5000")};
  EXPECT_EQ(match_listeners({listener("127.0.0.1:0"), listener("127.0.0.1:0")}, now), (Matches{0, std::nullopt}));
}

TEST(MatchListeners, TellsThoseOfPortZeroByName) {
  const std::vector<LiveListener> now{live("127.0.0.1:0", "127.0.0.1:5000", "a"),
                                      live("127.0.0.1:0", "127.0.0.1:5001", "b")};
  EXPECT_EQ(match_listeners({listener("127.0.0.1:0", "b"), listener("127.0.0.1:0", "c")}, now), (Matches{1, 0}));
}

TEST(MatchListeners, KnowsThePortThatZeroBecame) {
  const std::vector<LiveListener> now{live("127.0.0.1:0", "127.0.0.1:5000")};
  EXPECT_EQ(match_listeners({listener("127.0.0.1:5000")}, now), Matches{0});
}

TEST(KeysOfSocket, NamesEachThatIsOtherwise) {
  const net::ListenOptions before;
  net::ListenOptions after;
  EXPECT_TRUE(keys_of_socket(before, after).empty());
  after.backlog = 7;
  after.defer_accept = false;
  after.v6_only = true;
  after.unix_mode = 0600;
  EXPECT_EQ(keys_of_socket(before, after),
            (std::vector<std::string>{"backlog", "defer_accept", "v6_only", "unix_mode"}));
}

}  // namespace
}  // namespace rproxy::server
