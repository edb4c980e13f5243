// Who the client is, when what stands in front of our proxies' own words is a stranger's.
#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace rproxy::http {
namespace {

TEST(ForwardedNode, IsAnAddressInAnySpelling) {
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {" 192.0.2.1\t", "192.0.2.1"},
      {"192.0.2.1:80", "192.0.2.1"},
      {"\"192.0.2.1:80\"", "192.0.2.1"},
      {"2001:db8::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:80", "2001:db8::1"},
      {"\"[2001:db8::1]:_port\"", "2001:db8::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"", ""},
      {"\"", ""},
      {"\"\"", ""},
      {"unknown", ""},
      {"\"_gazonk\"", ""},
      {"[2001:db8::1", ""},
      {"[]", ""},
      {"192.0.2.1.", ""},
      {"192.0.2.256", ""},
      {"shop.com", ""},
      {":80", ""},
  };
  for (const auto& [node, ip] : cases) {
    const auto parsed = parse_forwarded_node(node);
    EXPECT_EQ(parsed ? parsed->to_string() : "", ip) << node;
  }
}

// RFC 7239 4: parameters in any order and case, values perhaps quoted.
TEST(ForwardedFor, IsOneParameterOfTheElement) {
  const std::pair<const char*, const char*> cases[] = {
      {"for=192.0.2.1", "192.0.2.1"},
      {"For=192.0.2.1;proto=http", "192.0.2.1"},
      {"proto=http; FOR=192.0.2.1 ;by=203.0.113.1", "192.0.2.1"},
      {"for=\"[2001:db8::1]:4711\"", "\"[2001:db8::1]:4711\""},
      {"host=\"a;for=6.6.6.6\";for=192.0.2.1", "192.0.2.1"},
      {"host=\"a\\\";for=6.6.6.6;\";for=192.0.2.1", "192.0.2.1"},
      {"host=\"a\\\\\";for=192.0.2.1", "192.0.2.1"},
      {"for=192.0.2.1;for=6.6.6.6", "192.0.2.1"},
      {"xfor=6.6.6.6", ""},
      {"host=\"a;for=6.6.6.6", ""},
      {"for=", ""},
      {"for", ""},
      {";;", ""},
      {"", ""},
  };
  for (const auto& [element, node] : cases) EXPECT_EQ(forwarded_for(element), node) << element;
}

TEST(ForwardedClient, IsNotForTheStrangerToChoose) {
  const auto ours = IpNetwork::parse("10.0.0.0/8").value();
  struct Case {
    FieldId id;
    std::vector<const char*> lines;
    const char* client;
  };
  constexpr FieldId kX = FieldId::kXForwardedFor;
  constexpr FieldId kForwarded = FieldId::kForwarded;
  const Case cases[] = {
      {kX, {"6.6.6.6, 203.0.113.9"}, "203.0.113.9"},
      {kX, {"6.6.6.6", "203.0.113.9", "10.0.0.1"}, "203.0.113.9"},
      {kX, {"203.0.113.9,10.0.0.2 ,\t10.0.0.1"}, "203.0.113.9"},
      {kX, {"203.0.113.9,, ,"}, "203.0.113.9"},
      {kX, {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
      {kX, {"6.6.6.6, unknown, 10.0.0.2"}, "10.0.0.2"},
      {kX, {"6.6.6.6, unknown"}, ""},
      {kX, {"6.6.6.6", "unknown", "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
      {kX, {",, ,"}, ""},
      {kX, {""}, ""},
      // A quote left open.
      {kX, {"\", 203.0.113.9"}, "203.0.113.9"},
      {kX, {"\"6.6.6.6, 203.0.113.9, 10.0.0.1"}, "203.0.113.9"},
      {kX, {"\\\", \"\\, 203.0.113.9"}, "203.0.113.9"},
      {kForwarded, {"for=\", for=203.0.113.9"}, "203.0.113.9"},
      {kForwarded, {"for=\"6.6.6.6, for=\"[2001:db8::9]\""}, "2001:db8::9"},
      {kForwarded, {"\", for=\"[2001:db8::9]:80\";proto=https, for=10.0.0.1"}, "2001:db8::9"},
      {kForwarded, {"for=\"\\, for=\"203.0.113.9:80\""}, "203.0.113.9"},
      // Commas in quotes.
      {kForwarded, {"for=203.0.113.9;host=\"a,for=6.6.6.6\""}, "203.0.113.9"},
      {kForwarded, {"host=\"a\\\",for=6.6.6.6,\";for=203.0.113.9"}, "203.0.113.9"},
      {kForwarded, {"for=6.6.6.6, proto=https"}, ""},
      {kForwarded, {"for=6.6.6.6, proto=https, for=10.0.0.2"}, "10.0.0.2"},
  };
  for (const Case& each : cases) {
    Fields fields;
    for (const char* line : each.lines) fields.add(each.id, line);
    const auto found = rightmost_client(fields, [&](const IpAddress& ip) { return ours.contains(ip); });
    EXPECT_EQ(found ? found->to_string() : "", each.client) << each.lines.front();
  }
}

}  // namespace
}  // namespace rproxy::http
