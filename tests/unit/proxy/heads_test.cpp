// What the upstream is told about the client, and what the client is told about the upstream.
#include <gtest/gtest.h>

#include "proxy/request_head.h"
#include "proxy/response_head.h"

namespace rproxy::proxy {
namespace {

using http::FieldId;

struct Fixture {
  Fixture() {
    client.peer.ip = IpAddress::parse("192.0.2.7").value();
    request.client = &client;
    request.client_ip = client.peer.ip;
    request.arena = &arena;
    request.head.scheme = "https";
    request.head.authority = "shop.com";
    request.client_authority = "shop.com";
  }
  Arena arena;
  exchange::Client client;
  exchange::Request request;
};

TEST(RequestHead, AStrangersForwardingFieldsAreReplaced) {
  for (const char* spelling : {"X-Forwarded-For", "x_forwarded_for", "X-Forwarded_For", "FORWARDED", "X-Real-IP"}) {
    Fixture f;
    f.request.head.fields.add(spelling, "6.6.6.6");
    prepare_request_head(f.request, {});
    for (const auto& field : f.request.head.fields)
      EXPECT_EQ(field.value.find("6.6.6.6"), std::string_view::npos) << spelling;
    EXPECT_EQ(f.request.head.fields.get(FieldId::kXForwardedFor), "192.0.2.7");
    EXPECT_EQ(f.request.head.fields.get(FieldId::kXForwardedProto), "https");
    EXPECT_EQ(f.request.head.fields.get(FieldId::kForwarded), "for=192.0.2.7;host=shop.com;proto=https");
    EXPECT_EQ(f.request.head.fields.get(FieldId::kVia), "1.1 rproxy");
  }
}

TEST(RequestHead, ATrustedProxysAreContinued) {
  Fixture f;
  f.request.from_trusted_proxy = true;
  f.request.head.fields.add("X-Forwarded-For", "203.0.113.9");
  f.request.head.fields.add("X-Forwarded-Proto", "http");
  f.request.head.fields.add("Via", "1.0 edge");
  prepare_request_head(f.request, {});
  EXPECT_EQ(f.request.head.fields.get(FieldId::kXForwardedFor), "203.0.113.9, 192.0.2.7");
  EXPECT_EQ(f.request.head.fields.get(FieldId::kXForwardedProto), "http");
  EXPECT_EQ(f.request.head.fields.get(FieldId::kVia), "1.0 edge, 1.1 rproxy");
}

TEST(RequestHead, NoSpellingGoesPastATrustedProxy) {
  Fixture f;
  f.request.from_trusted_proxy = true;
  f.request.head.fields.add("X-Forwarded-For", "203.0.113.9");
  f.request.head.fields.add("X_Forwarded_For", "6.6.6.6");
  prepare_request_head(f.request, {});
  EXPECT_FALSE(f.request.head.fields.find("X_Forwarded_For"));
  EXPECT_EQ(f.request.head.fields.get(FieldId::kXForwardedFor), "203.0.113.9, 192.0.2.7");
}

TEST(RequestHead, MaxForwardsCountsTheHopsOfOptionsAndTrace) {
  struct Case {
    http::Method method;
    const char* value;
    const char* seen;  // null: refused; "": not forwarded
  };
  const Case cases[] = {
      {http::Method::kOptions, "5", "4"},
      {http::Method::kTrace, "1", "0"},
      {http::Method::kOptions, "0", ""},
      {http::Method::kTrace, "000", ""},
      {http::Method::kGet, "0", "0"},
      {http::Method::kOptions, "-1", nullptr},
      {http::Method::kOptions, "", nullptr},
      {http::Method::kTrace, "5x", nullptr},
      {http::Method::kOptions, "99999999999999999999", "4294967294"},
  };
  for (const Case& each : cases) {
    Fixture f;
    f.request.head.method_id = each.method;
    f.request.head.fields.add(FieldId::kMaxForwards, each.value);
    const auto counted = count_hop(f.request);
    ASSERT_EQ(counted.has_value(), each.seen != nullptr) << each.value;
    if (!counted) continue;
    EXPECT_EQ(*counted, *each.seen != '\0') << each.value;
    if (*counted) {
      EXPECT_EQ(f.request.head.fields.get(FieldId::kMaxForwards), each.seen);
    }
  }
  Fixture f;
  f.request.head.method_id = http::Method::kOptions;
  for (int i = 0; i < 2; ++i) f.request.head.fields.add(FieldId::kMaxForwards, "5");
  EXPECT_FALSE(count_hop(f.request));
}

TEST(BackendHider, TheClientNeverLearnsWhatIsBehind) {
  upstream::Options behind;
  behind.endpoints.push_back({HostPort::parse("10.0.0.1:8001").value(), 1});
  const BackendHider hider({"backend.internal"}, upstream::Upstream::create(behind).value(), "/app");
  struct Case {
    const char* name;
    const char* value;
    const char* seen;
  };
  const Case cases[] = {
      {"Location", "http://10.0.0.1:8001/x?y", "https://shop.com/app/x?y"},
      {"Location", "//backend.internal/x", "https://shop.com/app/x"},
      {"Location", "http://user@BACKEND.internal", "https://shop.com/app/"},
      {"Location", "https://elsewhere.com/x", "https://elsewhere.com/x"},
      {"Location", "/relative", "/relative"},
      {"Content-Location", "http://10.0.0.1/x", "https://shop.com/app/x"},
      {"Refresh", "5; url=http://10.0.0.1:8001/x", "5; url=https://shop.com/app/x"},
      {"Refresh", "5; URL = 'http://10.0.0.1/x'", "5; url=https://shop.com/app/x"},
      {"Refresh", "5", "5"},
      {"Set-Cookie", "a=1; Domain=backend.internal; Path=/", "a=1; Path=/"},
      {"Set-Cookie", "a=1; domain=.Backend.Internal", "a=1"},
      {"Set-Cookie", "a=1; Domain=shop.com", "a=1; Domain=shop.com"},
  };
  for (const Case& each : cases) {
    Fixture f;
    http::ResponseHead head;
    head.fields.add(each.name, each.value);
    hider.apply(head, f.request);
    EXPECT_EQ(head.fields.find(each.name)->value, each.seen) << each.value;
  }
  Fixture f;
  http::ResponseHead head;
  for (const char* name : {"Server", "X-Powered-By", "X-AspNet-Version", "Via", "X-Runtime", "X-Generator", "X-Backend",
                           "X-Backend-Server", "X-Served-By", "X-Server-Name", "X-Varnish"})
    head.fields.add(name, "secret");
  hider.apply(head, f.request);
  EXPECT_TRUE(head.fields.empty());
}

}  // namespace
}  // namespace rproxy::proxy
