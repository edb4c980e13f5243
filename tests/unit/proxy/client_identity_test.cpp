// Whom to believe about the client, and which request ids.
#include "proxy/client_identity.h"

#include <gtest/gtest.h>

#include <set>

namespace rproxy::proxy {
namespace {

using http::FieldId;

ForwardingOptions trusting(const std::vector<const char*>& networks) {
  ForwardingOptions options;
  for (const char* network : networks) options.trusted_proxies.push_back(IpNetwork::parse(network).value());
  return options;
}

struct Fixture {
  explicit Fixture(const char* peer) {
    client.peer.ip = IpAddress::parse(peer).value();
    request.client = &client;
    request.client_ip = client.peer.ip;
    request.arena = &arena;
  }
  Arena arena;
  exchange::Client client;
  exchange::Request request;
};

TEST(ClientIdentity, WalksBackAsFarAsTheTrustedVouch) {
  struct Case {
    std::vector<const char*> trusted;
    const char* peer;
    const char* forwarded_for;
    const char* client;
  };
  const Case cases[] = {
      {{}, "10.0.0.1", "203.0.113.9", "10.0.0.1"},
      {{"10.0.0.0/8"}, "203.0.113.1", "198.51.100.1", "203.0.113.1"},
      {{"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9", "203.0.113.9"},
      {{"10.0.0.0/8"}, "10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"},
      {{"10.0.0.0/8"}, "10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
      {{"10.0.0.0/8"}, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
      {{"10.0.0.0/8"}, "10.0.0.1", "", "10.0.0.1"},
      {{"10.0.0.0/8"}, "10.0.0.1", "unknown", "10.0.0.1"},
      {{"10.0.0.0/8"}, "10.0.0.1", "\", 203.0.113.9", "203.0.113.9"},
      {{"10.0.0.1"}, "10.0.0.1", "10.0.0.2", "10.0.0.2"},
      {{"10.0.0.1"}, "10.0.0.2", "10.0.0.1", "10.0.0.2"},
      {{"10.0.0.0/8", "2001:db8::/32"}, "2001:db8::1", "2001:db9::1, 10.0.0.1", "2001:db9::1"},
      {{"0.0.0.0/0"}, "2001:db8::1", "203.0.113.9", "2001:db8::1"},
      {{"0.0.0.0/0"}, "192.0.2.1", "203.0.113.9", "203.0.113.9"},
      // A dual-stack socket's peers are the same addresses.
      {{"192.0.2.0/24"}, "::ffff:192.0.2.1", "203.0.113.9", "203.0.113.9"},
  };
  for (const Case& each : cases) {
    const ForwardingOptions options = trusting(each.trusted);
    Fixture f(each.peer);
    if (*each.forwarded_for != '\0') f.request.head.fields.add("X-Forwarded-For", each.forwarded_for);
    ClientIdentity(options).establish(f.request);
    EXPECT_EQ(f.request.client_ip.to_string(), each.client) << each.peer << ": " << each.forwarded_for;
  }
}

TEST(ClientIdentity, TakesAnIdThatMayStandAnywhere) {
  const ForwardingOptions options = trusting({"10.0.0.0/8"});
  const std::string longest(128, 'x');
  const std::pair<std::string, bool> cases[] = {
      {"abc-DEF_1.2", true}, {longest, true},  {longest + "x", false}, {"", false},          {"a b", false},
      {"a,b", false},        {"\"a\"", false}, {"<b>", false},         {"a\xc3\xbc", false}, {"a/b", false},
  };
  for (const auto& [id, taken] : cases) {
    Fixture f("10.0.0.1");
    f.request.head.fields.add("X-Request-ID", id);
    ClientIdentity(options).establish(f.request);
    EXPECT_EQ(f.request.trace.request_id == id, taken) << id;
    EXPECT_FALSE(f.request.trace.request_id.empty()) << id;
  }
}

TEST(ClientIdentity, MakesNoIdsWhereTheyAreOff) {
  ForwardingOptions options = trusting({"10.0.0.0/8"});
  options.request_id = false;
  for (const char* peer : {"10.0.0.1", "203.0.113.1"}) {
    Fixture f(peer);
    ClientIdentity(options).establish(f.request);
    EXPECT_EQ(f.request.trace.request_id, "");
  }
}

TEST(ClientIdentity, MakesEachIdOnce) {
  const ForwardingOptions options;
  ClientIdentity identity(options);
  ClientIdentity other(options);
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    for (ClientIdentity* each : {&identity, &other}) {
      Fixture f("203.0.113.1");
      each->establish(f.request);
      const std::string id(f.request.trace.request_id);
      EXPECT_EQ(id.size(), 32U);
      EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
      EXPECT_TRUE(ids.insert(id).second);
    }
  }
}

}  // namespace
}  // namespace rproxy::proxy
