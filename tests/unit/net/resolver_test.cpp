// Names to addresses over a real socket: what servers may answer, and what they may leave out.
#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "net/sleep.h"
#include "support/dns_server.h"
#include "support/temporary_directory.h"
#include "support/test_loop.h"

namespace rproxy::net {
namespace {

using test::address_record;
using test::DnsServer;
using test::srv_record;
using testing::ElementsAre;
using testing::HasSubstr;
using Family = Resolver::Family;
using Manner = DnsServer::Manner;

struct ResolverTest : testing::Test {
  test::TestLoop loop;
  DnsServer server{loop.loop()};
  ResolverOptions options = [this] {
    ResolverOptions chosen;
    chosen.servers = {server.address()};
    chosen.timeout = Duration{100};
    chosen.attempts = 2;
    chosen.search = false;
    chosen.every_family = true;
    chosen.hosts_file = "/dev/null";
    return chosen;
  }();

  Result<Resolver::Answer> resolve(const std::string& name, Family family = Family::kAny) {
    Resolver resolver(loop, options);
    std::optional<Result<Resolver::Answer>> out;
    loop.run(store(resolver.resolve(name, family), out));
    return std::move(*out);
  }
  Result<Resolver::Services> services(const std::string& name) {
    Resolver resolver(loop, options);
    std::optional<Result<Resolver::Services>> out;
    loop.run(store(resolver.resolve_srv(name), out));
    return std::move(*out);
  }
  template <typename T>
  static Task<void> store(Task<T> task, std::optional<T>& out) {
    out.emplace(co_await std::move(task));
  }
  static std::vector<std::string> text_of(const Resolver::Answer& answer) {
    std::vector<std::string> out;
    for (const auto& address : answer.addresses) out.push_back(address.to_string());
    return out;
  }
};

TEST_F(ResolverTest, AsksForBothFamiliesAndTakesTheLeastTtl) {
  server.set("app.test", {address_record("10.0.0.2"), address_record("10.0.0.1"), address_record("2001:db8::1")}, 42);
  const auto answer = resolve("app.test");
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_THAT(text_of(*answer), ElementsAre("10.0.0.1", "10.0.0.2", "2001:db8::1"));
  EXPECT_EQ(answer->ttl, std::chrono::seconds(42));
  EXPECT_FALSE(answer->missing);
  EXPECT_THAT(text_of(*resolve("app.test", Family::kIpv4)), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_THAT(text_of(*resolve("app.test", Family::kIpv6)), ElementsAre("2001:db8::1"));
}

TEST_F(ResolverTest, NamesTheNameAndTheReasonOfAFailure) {
  options.timeout = Duration{60};
  server.set("empty.test", {});
  server.behave("silent.test", Manner::kSilent);
  server.behave("failing.test", Manner::kServerFailure);
  server.behave("refusing.test", Manner::kRefuse);
  server.set("garbage.test", {address_record("10.0.0.1")});
  server.behave("garbage.test", Manner::kGarbage);
  for (const auto& [name, reason] : {std::pair("gone.test", "there is no such name (NXDOMAIN)"),
                                     {"empty.test", "the name has no such records"},
                                     {"silent.test", "no DNS server answered in time"},
                                     {"failing.test", "the DNS server would not answer (SERVFAIL)"},
                                     {"refusing.test", "the DNS server would not answer (REFUSED)"},
                                     {"garbage.test", "the DNS server's answer is malformed"}}) {
    const auto answer = resolve(name, Family::kIpv4);
    ASSERT_FALSE(answer) << name;
    EXPECT_EQ(answer.error().code, ErrorCode::kResolveFailed);
    EXPECT_EQ(answer.error().context, std::string(name) + ": " + reason);
    EXPECT_FALSE(resolve(name));
    EXPECT_FALSE(services(name));
  }
}

TEST_F(ResolverTest, TellsThatNoServerCanBeReached) {
  {
    const DnsServer gone(loop.loop());
    options.servers = {gone.address()};
  }
  EXPECT_THAT(resolve("app.test").error().context, HasSubstr("no DNS server could be reached"));
}

TEST_F(ResolverTest, GoesOnToTheNextServer) {
  server.set("app.test", {address_record("10.0.0.1")});
  DnsServer failing(loop.loop());
  failing.behave("app.test", Manner::kServerFailure);
  options.servers = {failing.address(), server.address()};
  EXPECT_THAT(text_of(*resolve("app.test", Family::kIpv4)), ElementsAre("10.0.0.1"));
  failing.behave("app.test", Manner::kSilent);
  EXPECT_THAT(text_of(*resolve("app.test", Family::kIpv4)), ElementsAre("10.0.0.1"));
}

TEST_F(ResolverTest, AsksAgainByTcpWhatUdpCouldNotHold) {
  std::vector<test::DnsRecord> records;
  for (int i = 0; i < 200; ++i) records.push_back(address_record("10.0.1." + std::to_string(i)));
  server.set("many.test", records);
  server.behave("many.test", Manner::kTruncate);
  const auto answer = resolve("many.test", Family::kIpv4);
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->addresses.size(), 200U);
  EXPECT_EQ(server.tcp_connections(), 1U);
}

TEST_F(ResolverTest, TakesNoMoreAnswersThanItsOptionsSay) {
  options.max_answers = 2;
  server.set("app.test", {address_record("10.0.0.3"), address_record("10.0.0.1"), address_record("10.0.0.2"),
                          srv_record(0, 0, 1, "c"), srv_record(0, 0, 1, "b"), srv_record(0, 0, 1, "a")});
  const auto answer = resolve("app.test", Family::kIpv4);
  EXPECT_THAT(text_of(*answer), ElementsAre("10.0.0.1", "10.0.0.2"));
  EXPECT_EQ(answer->left_out, 1U);
  EXPECT_EQ(services("app.test")->services.size(), 2U);
  EXPECT_EQ(services("app.test")->left_out, 1U);
}

TEST_F(ResolverTest, TellsWhichFamilyCouldNotBeAsked) {
  server.set("app.test", {address_record("10.0.0.1"), address_record("2001:db8::1")});
  server.behave("app.test", DnsType::kAaaa, Manner::kServerFailure);
  const auto answer = resolve("app.test");
  EXPECT_THAT(text_of(*answer), ElementsAre("10.0.0.1"));
  EXPECT_EQ(answer->missing, Family::kIpv6);
  server.behave("app.test", DnsType::kAaaa, Manner::kAnswer);
  server.behave("app.test", DnsType::kA, Manner::kSilent);
  EXPECT_EQ(resolve("app.test")->missing, Family::kIpv4);
}

TEST_F(ResolverTest, GivesServicesByPriority) {
  server.set("_http._tcp.shop.test", {srv_record(2, 5, 8002, "b.test"), srv_record(1, 7, 8001, "a.test")}, 9);
  const auto answer = services("_http._tcp.shop.test");
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_THAT(answer->services, ElementsAre(DnsService{1, 7, 8001, "a.test"}, DnsService{2, 5, 8002, "b.test"}));
  EXPECT_EQ(answer->ttl, std::chrono::seconds(9));
  server.set("_http._tcp.shop.test", {srv_record(0, 0, 0, "")});
  EXPECT_THAT(services("_http._tcp.shop.test").error().context, HasSubstr("the name has no such services"));
}

TEST_F(ResolverTest, LooksIntoTheHostsFileFirst) {
  const test::TemporaryDirectory directory;
  options.hosts_file = directory.path("hosts");
  std::ofstream(options.hosts_file) << "10.9.9.9 other App.Test # app.two\n::9\tapp.test\nnonsense app.test\n";
  server.set("app.test", {address_record("10.0.0.1")});
  EXPECT_THAT(text_of(*resolve("app.test.")), ElementsAre("::9", "10.9.9.9"));
  EXPECT_THAT(text_of(*resolve("app.test", Family::kIpv4)), ElementsAre("10.9.9.9"));
  EXPECT_THAT(text_of(*resolve("localhost")), ElementsAre("::1", "127.0.0.1"));
  EXPECT_THAT(text_of(*resolve("192.0.2.1")), ElementsAre("192.0.2.1"));
  EXPECT_FALSE(resolve("app.two"));
  EXPECT_THAT(server.questions(), ElementsAre("28 app.two", "1 app.two"));
}

TEST_F(ResolverTest, AsksForNoAddressesThatThisMachineCanNotSendTo) {
  const LocalFamilies here = local_families();
  options.every_family = false;
  server.set("app.test", {address_record("10.0.0.1"), address_record("2001:db8::1")});
  const auto answer = resolve("app.test");
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->addresses.size(), std::size_t{here.v4} + std::size_t{here.v6});
  EXPECT_EQ(testing::Matches(testing::Contains("28 app.test"))(server.questions()), here.v6);
  EXPECT_EQ(testing::Matches(testing::Contains("1 app.test"))(server.questions()), here.v4);
}

TEST_F(ResolverTest, LetsGoWhenATaskIsDestroyed) {
  server.behave("silent.test", Manner::kSilent);
  server.set("app.test", {address_record("10.0.0.1")});
  Resolver resolver(loop, options);
  // At every point of its life: not started, asked, answered and not yet told.
  for (int rounds = 0; rounds < 6; ++rounds) {
    for (const char* name : {"silent.test", "app.test"}) {
      std::optional<Result<Resolver::Answer>> out;
      TaskGroup tasks;
      tasks.spawn(store(resolver.resolve(name, Family::kAny), out));
      for (int i = 0; i < rounds; ++i) loop.loop().poll();
    }
  }
  EXPECT_THAT(text_of(*resolve("app.test")), ElementsAre("10.0.0.1"));
}

TEST_F(ResolverTest, DoesNothingWhileItWaits) {
  server.behave("silent.test", Manner::kSilent);
  Resolver resolver(loop, options);
  std::optional<Result<Resolver::Answer>> out;
  loop.spawn(store(resolver.resolve("silent.test", Family::kAny), out));
  for (int i = 0; i < 10; ++i) loop.loop().poll();
  const TimePoint before = Clock::now();
  // Nothing asks for a turn: the wait is as long as it may be.
  loop.loop().poller().wait(Duration{40});
  loop.loop().poller().call_ready();
  EXPECT_GE(Clock::now() - before, std::chrono::milliseconds(39));
  loop.run();
  EXPECT_THAT(out->error().context, HasSubstr("no DNS server answered in time"));
}

}  // namespace
}  // namespace rproxy::net
