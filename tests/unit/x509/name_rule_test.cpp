// Which certificates a rule means.
#include "x509/name_rule.h"

#include <gtest/gtest.h>

#include "support/test_certificates.h"
#include "x509/certified_key.h"

namespace rproxy::x509 {
namespace {

CertificateNames named(std::vector<std::string> names, std::string common_name = "cart") {
  static const test::TestAuthority authority;
  const auto pem = authority.issue({.names = std::move(names), .common_name = std::move(common_name)}).cert;
  return CertificateNames::of(parse_certificates(pem, "test.pem", 1)->front());
}

bool matches(const char* rule, const CertificateNames& names) {
  const auto parsed = NameRule::parse(rule);
  EXPECT_TRUE(parsed.has_value()) << rule;
  return parsed && parsed->matches(names);
}

TEST(NameRule, MeansNamesOfItsKindAlone) {
  const auto names =
      named({"DNS:a.clients.shop.com", "email:ops@shop.com", "URI:spiffe://shop.com/ns/cart", "IP:10.1.2.3"});
  struct Case {
    const char* rule;
    bool fits;
  };
  for (const Case& each : {Case{"dns:a.clients.shop.com", true},
                           {"dns:A.Clients.shop.COM", true},
                           {"dns:*.clients.shop.com", true},
                           {"dns:*.shop.com", false},  // one label
                           {"dns:**.shop.com", true},
                           {"dns:clients.shop.com", false},
                           {"dns:*clients.shop.com", false},
                           {"dns:a*.clients.shop.com", true},
                           {"dns:ops@shop.com", false},
                           {"email:ops@shop.com", true},
                           {"email:*@shop.com", true},
                           {"email:*", false},
                           {"email:**", true},
                           {"uri:spiffe://shop.com/ns/cart", true},
                           {"uri:spiffe://shop.com/ns/*", true},
                           {"uri:spiffe://shop.com/*", false},
                           {"uri:spiffe://shop.com/**", true},
                           {"uri:SPIFFE://shop.com/ns/cart", false},
                           {"uri:a.clients.shop.com", false},
                           {"ip:10.1.2.3", true},
                           {"ip:10.0.0.0/8", true},
                           {"ip:11.0.0.0/8", false},
                           {"cn:cart", true},
                           {"cn:c*t", true},
                           {"cn:Cart", false},
                           {"cn:car", false},
                           {"subject:CN=cart", true},
                           {"subject:O=shop, CN=cart", false}}) {
    EXPECT_EQ(matches(each.rule, names), each.fits) << each.rule;
  }
}

// A common name never passes for a host name, nor a comma in it for a second part of the subject.
TEST(NameRule, IsNotDeceivedByTheSubject) {
  EXPECT_FALSE(matches("dns:shop.com", named({}, "shop.com")));
  EXPECT_FALSE(matches("subject:CN=cart, O=shop", named({}, "cart, O=shop")));
  EXPECT_FALSE(matches("subject:CN=cart*", named({}, "cart, O=shop")) &&
               matches("subject:CN=cart", named({}, "cart, O=shop")));
}

TEST(NameRule, KnowsACertificateByItsFingerprint) {
  const auto names = named({"DNS:shop.com"});
  std::string colons;
  for (std::size_t i = 0; i < names.sha256.size(); i += 2)
    colons += (colons.empty() ? "" : ":") + names.sha256.substr(i, 2);
  EXPECT_TRUE(matches(("sha256:" + names.sha256).c_str(), names));
  EXPECT_TRUE(matches(("sha256:" + colons).c_str(), names));
  EXPECT_FALSE(matches(("sha256:" + names.sha256).c_str(), named({"DNS:shop.com"})));
}

// Sixty stars over a long name: as many steps as both are long, not as many as there are ways.
TEST(NameRule, TakesNoLongerThanItsLength) {
  std::string pattern = "uri:x://";
  for (int i = 0; i < 60; ++i) pattern += "a**";
  EXPECT_FALSE(matches((pattern + "b").c_str(), named({"URI:x://" + std::string(2000, 'a')})));
}

TEST(NameRule, RefusesWhatMeansNothing) {
  for (const char* text : {"", "shop.com", "dns:", "ip:shop.com", "ip:*", "sha256:abc", "DNS:shop.com"})
    EXPECT_FALSE(NameRule::parse(text).has_value()) << text;
}

TEST(NameRules, OfNoneAllAreMeant) {
  EXPECT_TRUE(matches_any({}, named({})));
  EXPECT_FALSE(matches_any({*NameRule::parse("cn:other")}, named({})));
  EXPECT_TRUE(matches_any({*NameRule::parse("cn:other"), *NameRule::parse("cn:cart")}, named({})));
}

}  // namespace
}  // namespace rproxy::x509
