// A connection that told an endpoint of a client serves no other client.
#include "upstream/pool.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "support/test_loop.h"

namespace rproxy::upstream {
namespace {

exchange::Client client_at(const char* ip, std::uint16_t port) {
  exchange::Client client;
  client.peer = {IpAddress::parse(ip).value(), port, false};
  client.local = {IpAddress::parse("192.0.2.1").value(), 443, false};
  return client;
}

// A pool whose connections lead to streams that are held here.
struct Fixture {
  explicit Fixture(ProxyProtocol protocol, std::size_t max_idle = 8) {
    Options options;
    options.name = "app";
    options.endpoints.push_back({HostPort::parse("127.0.0.1:1").value(), 1});
    options.proxy_protocol = protocol;
    options.pool.max_idle = max_idle;
    upstream = std::move(Upstream::create(std::move(options))).value();
    const auto connect = [this](net::Loop&, net::SocketAddress, Duration) { return connected(); };
    pool.emplace(loop, Reach{upstream, nullptr, connect}, 1);
  }
  // Before the loop goes.
  ~Fixture() {
    pool.reset();
    ends.clear();
  }

  net::Task<Result<net::StreamPtr>> connected() {
    auto [ours, theirs] = loop.connected();
    ends.push_back(std::move(theirs));
    co_return std::move(ours);
  }

  // One exchange on a kept connection, or on a new one; whether it was a kept one.
  bool use(const exchange::Client* client) {
    auto place = Place::take(pool->at(0));
    if (auto idle = pool->at(0).acquire_idle(*place, client)) {
      idle->keep();
      return true;
    }
    loop.run(make_new(client));
    return false;
  }
  net::Task<void> make_new(const exchange::Client* client) {
    auto lease = co_await pool->at(0).connect(*Place::take(pool->at(0)), client);
    EXPECT_TRUE(lease.has_value());
    if (lease) lease->keep();
  }
  // What the latest connection began with.
  std::string received() {
    loop.run(read(*ends.back()));
    return std::string(ends.back()->input());
  }
  net::Task<void> read(net::Stream& stream) { (void)co_await stream.fill(); }

  balance::TriedSet tried;
  test::TestLoop loop;
  std::shared_ptr<Upstream> upstream;
  std::optional<Pool> pool;
  std::vector<net::StreamPtr> ends;
};

TEST(Pool, TellsOfTheClientFirst) {
  Fixture f(ProxyProtocol::kV1);
  const auto ann = client_at("203.0.113.7", 50'000);
  f.use(&ann);
  EXPECT_EQ(f.received(), "PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\r\n");
  f.use(nullptr);
  EXPECT_EQ(f.received(), "PROXY UNKNOWN\r\n");
  auto from_unix = exchange::Client();
  from_unix.peer.is_unix = from_unix.local.is_unix = true;
  EXPECT_TRUE(f.use(&from_unix)) << "both are nobody";
}

TEST(Pool, GivesAConnectionToNoClientButItsOwn) {
  for (const auto protocol : {ProxyProtocol::kV1, ProxyProtocol::kV2}) {
    Fixture f(protocol);
    const auto ann = client_at("203.0.113.7", 50'000);
    EXPECT_FALSE(f.use(&ann));
    const auto other_address = client_at("203.0.113.8", 50'000);
    EXPECT_FALSE(f.use(&other_address));
    const auto other_port = client_at("203.0.113.7", 50'001);
    EXPECT_FALSE(f.use(&other_port));
    auto other_listener = ann;
    other_listener.local.port = 8443;
    EXPECT_FALSE(f.use(&other_listener));
    EXPECT_FALSE(f.use(nullptr));
    EXPECT_EQ(f.pool->idle_count(), 5u);
    for (const exchange::Client& client : {ann, other_address, other_port, other_listener}) EXPECT_TRUE(f.use(&client));
    EXPECT_EQ(f.pool->idle_count(), 5u);
  }
}

TEST(Pool, TellsTwoClientsApartByTheirTls) {
  Fixture f(ProxyProtocol::kV2);
  const auto plain = client_at("203.0.113.7", 50'000);
  auto secured = plain;
  secured.scheme = "https";
  secured.tls_version = "TLSv1.3";
  EXPECT_FALSE(f.use(&plain));
  EXPECT_FALSE(f.use(&secured));
  net::ProxyHeader header;
  const std::string bytes = f.received();
  ASSERT_EQ(net::parse_proxy_header(bytes, 4096, header), bytes.size());
  EXPECT_EQ(header.tls.version, "TLSv1.3");
}

TEST(Pool, KeepsTheConnectionsOfThoseWhoAreHere) {
  Fixture f(ProxyProtocol::kV2, 2);
  const auto first = client_at("203.0.113.1", 1);
  const auto second = client_at("203.0.113.2", 1);
  const auto third = client_at("203.0.113.3", 1);
  for (const auto* client : {&first, &second, &third}) EXPECT_FALSE(f.use(client));
  EXPECT_EQ(f.pool->idle_count(), 2u);
  EXPECT_TRUE(f.use(&third));
  EXPECT_TRUE(f.use(&second));
  EXPECT_FALSE(f.use(&first));
}

TEST(Pool, SharesConnectionsThatToldOfNobody) {
  Fixture f(ProxyProtocol::kOff);
  const auto ann = client_at("203.0.113.7", 50'000);
  const auto bob = client_at("203.0.113.8", 50'000);
  EXPECT_FALSE(f.use(&ann));
  EXPECT_TRUE(f.use(&bob));
}

TEST(Pool, KeepsNothingWhereNothingMayBeKept) {
  Fixture f(ProxyProtocol::kV1, 0);
  const auto ann = client_at("203.0.113.7", 50'000);
  EXPECT_FALSE(f.use(&ann));
  EXPECT_FALSE(f.use(&ann));
  EXPECT_EQ(f.pool->idle_count(), 0u);
}

TEST(Pool, KeepsTheConnectionsOfEndpointsThatStay) {
  Fixture f(ProxyProtocol::kOff);
  f.use(nullptr);
  const auto set = f.upstream->endpoints();
  auto added = f.upstream->find_or_make({HostPort::parse("127.0.0.1:2").value(), 1},
                                        *net::to_socket_address(HostPort::parse("127.0.0.1:2").value()));
  f.upstream->replace({set->endpoints()[0], added});
  std::set<const Endpoint*> seen;
  for (int i = 0; i < 64; ++i) seen.insert(&f.pool->pick({f.tried, f.loop.loop().now()})->pool().endpoint());
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(f.pool->idle_count(), 1U);
  EXPECT_TRUE(f.use(nullptr));
}

TEST(Pool, LetsRequestsOfAnEndpointThatLeavesEnd) {
  Fixture f(ProxyProtocol::kOff);
  f.use(nullptr);
  auto place = f.pool->pick({f.tried, f.loop.loop().now()});
  auto lease = place->pool().acquire_idle(*place);
  ASSERT_TRUE(lease.has_value());
  const auto set = f.upstream->endpoints();
  f.upstream->replace({});
  EXPECT_FALSE(f.pool->pick({f.tried, f.loop.loop().now()}).has_value());
  f.pool->sweep(f.loop.loop().now());
  EXPECT_EQ(set->states()[0]->in_flight(), 1U);
  lease->keep();
  lease.reset();
  EXPECT_EQ(set->states()[0]->in_flight(), 0U);
  EXPECT_EQ(f.pool->idle_count(), 0U) << "nobody asks there again";
  f.pool->sweep(f.loop.loop().now());
}

TEST(Pool, SharesConnectionsWithItsSuccessor) {
  for (const bool is_alike : {true, false}) {
    Fixture f(ProxyProtocol::kOff);
    f.use(nullptr);
    Options options = f.upstream->options();
    options.retry.attempts = 9;
    if (!is_alike) options.connect_timeout = Duration{1};
    const std::shared_ptr<Upstream> next = Upstream::create(options, f.upstream.get()).value();
    EXPECT_EQ(next->endpoints()->endpoints()[0], f.upstream->endpoints()->endpoints()[0]);
    Pool successor(f.loop, {next, nullptr, net::connect}, 1, &*f.pool);
    EXPECT_EQ(successor.idle_count(), is_alike ? 1U : 0U);
    f.pool->retire();
    EXPECT_EQ(successor.idle_count(), is_alike ? 1U : 0U);
    EXPECT_EQ(f.pool->idle_count(), is_alike ? 1U : 0U);
  }
}

}  // namespace
}  // namespace rproxy::upstream
