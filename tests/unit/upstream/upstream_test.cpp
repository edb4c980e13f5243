// What an upstream makes of what has been discovered: who stays is the same, with all that is known of it.
#include "upstream/upstream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rproxy::upstream {
namespace {

using testing::Contains;
using testing::SizeIs;

DiscoveredEndpoint found_at(const char* address, std::uint32_t weight = 1) {
  DiscoveredEndpoint found;
  found.options.address = HostPort::parse(address).value();
  found.options.weight = weight;
  found.address = net::to_socket_address(found.options.address).value();
  found.tls_name = "app.test";
  found.called = HostPort::parse("app.test:80").value();
  return found;
}

std::shared_ptr<Upstream> make() {
  Options options;
  options.name = "app";
  return std::move(Upstream::create(std::move(options))).value();
}

TEST(Upstream, KeepsEndpointsThatStay) {
  const auto upstream = make();
  EXPECT_THAT(upstream->endpoints()->endpoints(), SizeIs(0));
  const auto version = upstream->version();
  upstream->adopt({found_at("10.0.0.1:80"), found_at("10.0.0.2:80")}, {});
  EXPECT_GT(upstream->version(), version);
  const auto before = upstream->endpoints();
  ASSERT_THAT(before->endpoints(), SizeIs(2));
  upstream->adopt({found_at("10.0.0.3:80"), found_at("10.0.0.2:80")}, {});
  const auto after = upstream->endpoints();
  ASSERT_THAT(after->endpoints(), SizeIs(2));
  EXPECT_EQ(after->endpoints()[1], before->endpoints()[1]);
  EXPECT_EQ(after->endpoints()[0]->state.name(), "10.0.0.3:80");
}

TEST(Upstream, GivesAnEndpointTheNameThatLedToIt) {
  const auto upstream = make();
  upstream->adopt({found_at("10.0.0.1:80")}, {});
  const auto set = upstream->endpoints();
  for (const char* name : {"10.0.0.1:80", "10.0.0.1", "app.test:80", "app.test"})
    EXPECT_THAT(set->endpoints()[0]->names, Contains(name));
  EXPECT_EQ(set->endpoints()[0]->tls_name, "app.test");
}

TEST(Upstream, StartsSlowlyWithWhoIsAddedToOthers) {
  const auto upstream = make();
  upstream->adopt({found_at("10.0.0.1:80")}, {});
  upstream->adopt({found_at("10.0.0.1:80"), found_at("10.0.0.2:80")}, {});
  const auto set = upstream->endpoints();
  // Who was there at the start always was.
  EXPECT_EQ(set->endpoints()[0]->state.there_since(), TimePoint{});
  EXPECT_GT(set->endpoints()[1]->state.there_since(), TimePoint{});
}

TEST(Upstream, TakesAWeightThatHasChanged) {
  const auto upstream = make();
  upstream->adopt({found_at("10.0.0.1:80")}, {});
  const auto before = upstream->endpoints();
  upstream->adopt({found_at("10.0.0.1:80", 5)}, {});
  EXPECT_EQ(upstream->endpoints()->endpoints()[0], before->endpoints()[0]);
  EXPECT_EQ(before->endpoints()[0]->state.weight(), 5U);
}

TEST(Upstream, LeavesWhatWasSaidByHand) {
  const auto upstream = make();
  upstream->adopt({found_at("10.0.0.1:80"), found_at("10.0.0.2:80")}, {});
  const auto before = upstream->endpoints();
  before->endpoints()[0]->state.set_weight(7);
  const auto by_hand = found_at("10.0.0.9:80");
  upstream->replace({before->endpoints()[0], upstream->find_or_make(by_hand.options, by_hand.address)});
  upstream->adopt({found_at("10.0.0.1:80"), found_at("10.0.0.2:80"), found_at("10.0.0.3:80")}, {});
  std::vector<std::string> names;
  for (const auto& endpoint : upstream->endpoints()->endpoints()) names.push_back(endpoint->state.name());
  EXPECT_THAT(names, testing::ElementsAre("10.0.0.1:80", "10.0.0.3:80", "10.0.0.9:80"));
  EXPECT_EQ(before->endpoints()[0]->state.weight(), 7U);
}

// A reload that fails after it was made must have changed nothing.
TEST(Upstream, ChangesWhatItSharesWithThePreviousOneWhenItTakesOver) {
  Options options;
  options.name = "app";
  for (const char* address : {"10.0.0.1:80", "10.0.0.2:80"}) {
    options.endpoints.push_back({HostPort::parse(address).value(), 1});
  }
  const auto first = Upstream::create(options).value();
  const auto set = first->endpoints();
  set->endpoints()[1]->state.set_weight(9);
  options.endpoints[0].weight = 3;
  options.endpoints[0].max_connections = 4;
  options.ejection.consecutive_5xx = 8;
  options.limits.max_requests = 5;
  options.queue.size = 6;
  const auto second = Upstream::create(options, first.get()).value();
  EXPECT_EQ(second->endpoints()->endpoints()[0], set->endpoints()[0]);
  const auto seen = [&] {
    return std::vector<std::uint32_t>{
        set->endpoints()[0]->state.weight(),      set->endpoints()[0]->state.max_connections(),
        set->endpoints()[1]->state.weight(),      first->peers().ejection().consecutive_5xx,
        first->capacity().breaker.max_requests(), first->capacity().queue.options().size};
  };
  const auto ejection = balance::EjectionOptions().consecutive_5xx;
  EXPECT_THAT(seen(), testing::ElementsAre(1U, 0U, 9U, ejection, 0U, 128U));
  second->take_over();
  EXPECT_THAT(seen(), testing::ElementsAre(3U, 4U, 9U, 8U, 5U, 6U)) << "what was said by hand stays";
}

TEST(Upstream, CountsAsPeersWhoIsInItsSetAndNobodyElse) {
  const auto upstream = make();
  upstream->adopt({found_at("10.0.0.1:80"), found_at("10.0.0.2:80"), found_at("10.0.0.3:80")}, {});
  const auto held = upstream->endpoints();
  EXPECT_EQ(upstream->peers().size(), 3U);
  upstream->adopt({found_at("10.0.0.1:80"), found_at("10.0.0.2:80")}, {});
  EXPECT_EQ(upstream->peers().size(), 2U);
  Options options;
  options.name = "app";
  options.endpoints.push_back({HostPort::parse("10.0.0.9:80").value(), 1});
  const auto next = Upstream::create(options, upstream.get()).value();
  next->take_over();
  EXPECT_EQ(next->peers().size(), 1U);
}

TEST(Upstream, RemembersWhatDiscoveryKnows) {
  const auto upstream = make();
  DiscoverySource source;
  source.label = "app.test:80";
  upstream->adopt({}, {source});
  ASSERT_THAT(upstream->known(), SizeIs(1));
  EXPECT_EQ(upstream->known()[0].label, "app.test:80");
}

}  // namespace
}  // namespace rproxy::upstream
