// Servers that come and go with what the DNS and files say, and stay where these fail.
#include "upstream/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "net/sleep.h"
#include "support/dns_server.h"
#include "support/temporary_directory.h"
#include "support/test_loop.h"
#include "upstream/first_look.h"

namespace rproxy::upstream {
namespace {

using test::address_record;
using test::DnsServer;
using test::srv_record;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Manner = DnsServer::Manner;

// "10.0.0.1:80", with what is not as by default.
std::vector<std::string> text_of(const DiscoveredList& list) {
  std::vector<std::string> out;
  for (const auto& endpoint : list) {
    std::string text = endpoint.options.address.to_string();
    if (endpoint.options.weight != 1) text += " weight=" + std::to_string(endpoint.options.weight);
    if (endpoint.options.priority != 0) text += " priority=" + std::to_string(endpoint.options.priority);
    out.push_back(text);
  }
  return out;
}

struct DiscoveryTest : testing::Test {
  test::TestLoop loop;
  DnsServer server{loop.loop()};
  test::TemporaryDirectory directory;
  net::Resolver resolver{loop, resolver_options()};
  Options options;
  DiscoveryTest() {
    options.name = "app";
    options.discovery.min_ttl = Duration{100};
  }

  net::ResolverOptions resolver_options() const {
    net::ResolverOptions chosen;
    chosen.servers = {server.address()};
    chosen.timeout = Duration{100};
    chosen.attempts = 1;
    chosen.search = false;
    chosen.every_family = true;
    chosen.hosts_file = "/dev/null";
    return chosen;
  }
  void add_server(const char* address) {
    balance::EndpointOptions endpoint;
    endpoint.address = HostPort::parse(address).value();
    options.endpoints.push_back(endpoint);
  }
  void add_srv(const char* name, std::uint32_t priority = 0) {
    options.sources.push_back({ServerSource::Kind::kSrv, name, priority});
  }
  void add_file(const std::string& path) { options.sources.push_back({ServerSource::Kind::kFile, path, 0}); }

  // A discovery with the lists that it has told.
  struct Watched {
    std::vector<DiscoveredList> told;
    Discovery discovery;
    explicit Watched(DiscoveryTest& test, const DiscoverySources& known = {})
        : discovery(test.loop, test.resolver, test.options, setting(), known) {
      discovery.start();
    }
    Discovery::Setting setting() {
      Discovery::Setting made;
      made.on_change = [this](const DiscoveredList& list) { told.push_back(list); };
      return made;
    }
  };
  // Runs until it is so.
  template <typename Condition>
  void until(Condition condition) {
    loop.run(poll(condition));
  }
  template <typename Condition>
  net::Task<void> poll(Condition condition) {
    while (!condition()) co_await net::Sleep(loop, Duration{1});
  }
  void settle(Watched& watched) {
    until([&] { return watched.discovery.is_settled(); });
  }
  std::size_t times_asked(const std::string& question) const {
    return static_cast<std::size_t>(std::ranges::count(server.questions(), question));
  }
};

TEST_F(DiscoveryTest, GivesFixedAddressesAtOnceAndEachOnce) {
  for (const char* address : {"10.0.0.2:80", "10.0.0.1:80", "10.0.0.2:80", "unix:/run/a.sock"}) add_server(address);
  Watched watched(*this);
  ASSERT_THAT(watched.told, SizeIs(1));
  EXPECT_THAT(text_of(watched.told[0]), ElementsAre("10.0.0.2:80", "10.0.0.1:80", "unix:/run/a.sock"));
  EXPECT_TRUE(watched.discovery.is_settled());
}

TEST_F(DiscoveryTest, FollowsANameAsItsAnswersChange) {
  add_server("app.test:8001");
  server.set("app.test", {address_record("10.0.0.2"), address_record("10.0.0.1")}, 0);
  Watched watched(*this);
  settle(watched);
  ASSERT_THAT(watched.told, SizeIs(1));
  EXPECT_THAT(text_of(watched.told[0]), ElementsAre("10.0.0.1:8001", "10.0.0.2:8001"));
  EXPECT_EQ(watched.told[0][0].tls_name, "app.test");
  // The same in another order is the same.
  server.set("app.test", {address_record("10.0.0.1"), address_record("10.0.0.2")}, 0);
  until([&, asked = times_asked("1 app.test")] { return times_asked("1 app.test") > asked + 1; });
  EXPECT_THAT(watched.told, SizeIs(1));
  server.set("app.test", {address_record("10.0.0.3"), address_record("10.0.0.2")}, 0);
  until([&] { return watched.told.size() == 2; });
  EXPECT_THAT(text_of(watched.told[1]), ElementsAre("10.0.0.2:8001", "10.0.0.3:8001"));
}

TEST_F(DiscoveryTest, AsksAgainWhenTheTtlIsOverAndNotBefore) {
  add_server("app.test:80");
  server.set("app.test", {address_record("10.0.0.1")}, 1);
  Watched watched(*this);
  settle(watched);
  const TimePoint first = Clock::now();
  until([&] { return times_asked("1 app.test") == 2; });
  EXPECT_GE(Clock::now() - first, std::chrono::milliseconds(890));
}

TEST_F(DiscoveryTest, KeepsTheLastGoodAnswerAndSaysSoOnce) {
  add_server("app.test:80");
  server.set("app.test", {address_record("10.0.0.1")}, 0);
  Watched watched(*this);
  settle(watched);
  testing::internal::CaptureStderr();
  for (const Manner manner : {Manner::kServerFailure, Manner::kSilent}) {
    server.behave("app.test", manner);
    until([&, asked = times_asked("1 app.test")] { return times_asked("1 app.test") > asked; });
  }
  server.behave("app.test", Manner::kAnswer);
  until([&] { return watched.discovery.sources()[0].problem.empty(); });
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(watched.told, SizeIs(1));
  EXPECT_EQ(watched.discovery.list().size(), 1U);
  EXPECT_THAT(log, HasSubstr("upstream app: app.test: the DNS server would not answer (SERVFAIL); the "
                             "server it had is kept"));
  EXPECT_EQ(log.find("is kept"), log.rfind("is kept")) << log;
  EXPECT_THAT(log, HasSubstr("upstream app: app.test:80 is found again"));
}

TEST_F(DiscoveryTest, KeepsWhatOneFamilyHadWhereItAloneFails) {
  add_server("app.test:80");
  server.set("app.test", {address_record("10.0.0.1"), address_record("2001:db8::1")}, 0);
  Watched watched(*this);
  settle(watched);
  server.behave("app.test", net::DnsType::kAaaa, Manner::kServerFailure);
  server.set("app.test", {address_record("10.0.0.2")}, 0);
  until([&] { return watched.told.size() == 2; });
  EXPECT_THAT(text_of(watched.told[1]), ElementsAre("10.0.0.2:80", "[2001:db8::1]:80"));
}

TEST_F(DiscoveryTest, BeginsWithoutANameThatIsNotKnownYet) {
  add_server("10.0.0.9:80");
  add_server("late.test:80");
  testing::internal::CaptureStderr();
  Watched watched(*this);
  settle(watched);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("upstream app: late.test: there is no such name (NXDOMAIN); no server of it is "
                        "known yet"));
  EXPECT_THAT(missing_of(watched.discovery.sources()), HasSubstr("late.test: there is no such name"));
  server.set("late.test", {address_record("10.0.0.1")});
  until([&] { return missing_of(watched.discovery.sources()).empty(); });
  EXPECT_THAT(text_of(watched.discovery.list()), ElementsAre("10.0.0.9:80", "10.0.0.1:80"));
}

TEST_F(DiscoveryTest, MapsServicesToWeightsAndPriorities) {
  add_srv("_http._tcp.shop.test", 3);
  server.set("_http._tcp.shop.test", {srv_record(20, 0, 8003, "c.test"), srv_record(10, 60, 8001, "a.test"),
                                      srv_record(10, 0, 8002, "b.test")});
  server.set("a.test", {address_record("10.0.0.1"), address_record("10.0.0.11")});
  server.set("b.test", {address_record("10.0.0.2")});
  server.set("c.test", {address_record("10.0.0.3")});
  Watched watched(*this);
  settle(watched);
  EXPECT_THAT(text_of(watched.discovery.list()),
              ElementsAre("10.0.0.2:8002 priority=3", "10.0.0.1:8001 weight=1000 priority=3",
                          "10.0.0.11:8001 weight=1000 priority=3", "10.0.0.3:8003 priority=4"));
  EXPECT_EQ(watched.discovery.list()[0].tls_name, "shop.test");
}

TEST_F(DiscoveryTest, KeepsATargetThatCanNotBeAskedForAndDropsOneThatIsNotMentioned) {
  add_srv("_http._tcp.shop.test");
  const std::vector<test::DnsRecord> both{srv_record(0, 1, 80, "a.test"), srv_record(0, 1, 80, "b.test")};
  server.set("_http._tcp.shop.test", both, 0);
  server.set("a.test", {address_record("10.0.0.1")}, 0);
  server.set("b.test", {address_record("10.0.0.2")}, 0);
  Watched watched(*this);
  settle(watched);
  server.behave("b.test", Manner::kServerFailure);
  server.set("a.test", {address_record("10.0.0.3")}, 0);
  until([&] { return watched.told.size() == 2; });
  EXPECT_THAT(text_of(watched.told[1]), ElementsAre("10.0.0.3:80", "10.0.0.2:80"));
  server.set("_http._tcp.shop.test", {both[0]}, 0);
  until([&] { return watched.told.size() == 3; });
  EXPECT_THAT(text_of(watched.told[2]), ElementsAre("10.0.0.3:80"));
}

TEST(ScaleWeights, GivesEveryServiceAShare) {
  EXPECT_THAT(scale_weights({0, 0}), ElementsAre(1, 1));
  EXPECT_THAT(scale_weights({3, 1}), ElementsAre(3, 1));
  EXPECT_THAT(scale_weights({0, 2}), ElementsAre(1, 1000));
  EXPECT_THAT(scale_weights({65535, 1, 32768}), ElementsAre(1000, 1, 500));
  EXPECT_THAT(scale_weights({}), IsEmpty());
}

TEST_F(DiscoveryTest, ReadsAFileAgainWhenItIsReplacedOrWritten) {
  const std::string path = directory.write("app.list", "10.0.0.1:80\n");
  add_file(path);
  Watched watched(*this);
  EXPECT_THAT(text_of(watched.discovery.list()), ElementsAre("10.0.0.1:80"));
  directory.write("other", "10.0.0.2:80 weight=5\n10.0.0.1:80\n");
  std::filesystem::rename(directory.path("other"), path);
  until([&] { return watched.told.size() == 2; });
  EXPECT_THAT(text_of(watched.told[1]), ElementsAre("10.0.0.2:80 weight=5", "10.0.0.1:80"));
  directory.write("app.list", "10.0.0.3:80\n");
  until([&] { return watched.told.size() == 3; });
  EXPECT_THAT(text_of(watched.told[2]), ElementsAre("10.0.0.3:80"));
}

TEST_F(DiscoveryTest, KeepsTheListOfAFileThatIsBadOrGone) {
  const std::string path = directory.write("app.list", "10.0.0.1:80\n");
  add_file(path);
  Watched watched(*this);
  testing::internal::CaptureStderr();
  directory.write("app.list", "10.0.0.1:80\n10.0.0.2:8");
  until([&] { return !watched.discovery.sources()[0].problem.empty(); });
  std::filesystem::remove(path);
  until([&] { return watched.discovery.sources()[0].problem.find("No such file") != std::string::npos; });
  EXPECT_THAT(watched.told, SizeIs(1));
  directory.write("app.list", "10.0.0.2:80\n");
  until([&] { return watched.told.size() == 2; });
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("upstream app: " + path +
                             ":2: the last line has no end: it may still be being written; the server it had is kept"));
  EXPECT_THAT(log, HasSubstr(path + ": No such file or directory"));
  EXPECT_THAT(text_of(watched.told[1]), ElementsAre("10.0.0.2:80"));
}

TEST_F(DiscoveryTest, GoesOnFromWhatWasKnown) {
  add_server("app.test:80");
  server.set("app.test", {address_record("10.0.0.1")}, 60);
  DiscoverySources known;
  {
    Watched watched(*this);
    settle(watched);
    known = watched.discovery.sources();
  }
  const std::size_t asked = server.questions().size();
  server.behave("app.test", Manner::kServerFailure);
  options.tls.server_name = "other.test";
  Watched watched(*this, known);
  EXPECT_TRUE(watched.discovery.is_settled());
  ASSERT_THAT(text_of(watched.discovery.list()), ElementsAre("10.0.0.1:80"));
  EXPECT_EQ(watched.discovery.list()[0].tls_name, "other.test");
  EXPECT_EQ(server.questions().size(), asked);
}

TEST_F(DiscoveryTest, LetsGoAtAnyPoint) {
  add_server("app.test:80");
  add_srv("_http._tcp.shop.test");
  add_file(directory.path("none"));
  server.set("app.test", {address_record("10.0.0.1")}, 0);
  server.set("_http._tcp.shop.test", {srv_record(0, 1, 80, "app.test")}, 0);
  for (int rounds = 0; rounds < 12; ++rounds) {
    const Watched watched(*this);
    for (int i = 0; i < rounds; ++i) loop.loop().poll();
  }
  Watched watched(*this);
  settle(watched);
  EXPECT_THAT(text_of(watched.discovery.list()), ElementsAre("10.0.0.1:80"));
}

TEST_F(DiscoveryTest, LooksOnceWithinItsLimit) {
  // A socket that nobody reads: silence.
  const net::ResolverOptions silent = resolver_options();
  add_server("10.0.0.1:80");
  add_server("app.test:80");
  Options fixed;
  add_file(directory.write("app.list", "10.0.0.2:80\n"));
  const auto begin = Clock::now();
  const auto known = look_once({&options, &fixed}, silent, parse_server_list, {}, Duration{50});
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
  ASSERT_THAT(known, SizeIs(2));
  ASSERT_THAT(known[0], SizeIs(2));
  EXPECT_THAT(known[0][0].list, IsEmpty());
  EXPECT_THAT(text_of(known[0][1].list), ElementsAre("10.0.0.2:80"));
  EXPECT_THAT(known[1], IsEmpty());
}

}  // namespace
}  // namespace rproxy::upstream
