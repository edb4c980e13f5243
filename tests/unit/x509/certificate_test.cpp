// What a certificate says of itself: names, addresses and dates.
#include "x509/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "support/test_certificates.h"

namespace rproxy::x509 {
namespace {

using test::CertificateSpec;
using testing::ElementsAre;

X509Ptr native(const CertificateSpec& spec) {
  static const test::TestAuthority authority;
  const std::string pem = authority.issue(spec).cert;
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Certificate made(const CertificateSpec& spec) { return Certificate(native(spec)); }

// A subjectAltName that OpenSSL's own text form could not spell.
Certificate with_name(int kind, std::string_view bytes) {
  X509Ptr certificate = native({});
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* text = kind == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
  ASN1_STRING_set(text, bytes.data(), static_cast<int>(bytes.size()));
  GENERAL_NAME_set0_value(name, kind, text);
  sk_GENERAL_NAME_push(names, name);
  X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, names, 0, X509V3_ADD_APPEND);
  GENERAL_NAMES_free(names);
  return Certificate(std::move(certificate));
}

TEST(DnsName, IsLetterDigitHyphenInLowerCase) {
  const std::string longest_label(63, 'a');
  const std::string longest = longest_label + "." + longest_label + "." + longest_label + "." + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  struct Case {
    std::string name;
    bool wildcard;
    std::string normal;
  };
  const Case cases[] = {
      {"shop.com", false, "shop.com"},
      {"SHOP.Com", false, "shop.com"},
      {"localhost", false, "localhost"},
      {"xn--bcher-kva.example", false, "xn--bcher-kva.example"},
      {"_dmarc.shop.com", false, "_dmarc.shop.com"},
      {longest_label + ".com", false, longest_label + ".com"},
      {longest_label + "a.com", false, ""},
      {longest, false, longest},
      {longest + "b", false, ""},
      {"", false, ""},
      {".", false, ""},
      {".shop.com", false, ""},
      {"shop.com.", false, ""},
      {"shop..com", false, ""},
      {"sh op.com", false, ""},
      {"shop.com:443", false, ""},
      {"b\xc3\xbc"
       "cher.example",
       false, ""},
      {std::string("shop.com\0.evil.example", 22), false, ""},
      {"*.shop.com", false, ""},
      {"*.shop.com", true, "*.shop.com"},
      {"*.SHOP.com", true, "*.shop.com"},
      {"*", true, ""},
      {"*.", true, ""},
      {"w*.shop.com", true, ""},
      {"*w.shop.com", true, ""},
      {"a.*.shop.com", true, ""},
      {"*.*.shop.com", true, ""},
  };
  for (const Case& each : cases) EXPECT_EQ(normal_dns_name(each.name, each.wildcard), each.normal) << each.name;
}

TEST(Certificate, TellsNamesFromTheSubjectAltNameAlone) {
  const Certificate certificate =
      made({.names = {"DNS:Shop.com", "DNS:*.shop.com", "DNS:not a name", "DNS:w*.shop.com", "email:ops@shop.com",
                      "URI:https://uri.example/", "IP:192.0.2.1", "IP:2001:db8::1"},
            .common_name = "common.example"});
  EXPECT_THAT(certificate.dns_names(), ElementsAre("shop.com", "*.shop.com"));
  EXPECT_THAT(certificate.ip_addresses(),
              ElementsAre(IpAddress::parse("192.0.2.1").value(), IpAddress::parse("2001:db8::1").value()));
  EXPECT_FALSE(certificate.covers("common.example"));
  EXPECT_FALSE(certificate.covers("uri.example"));
}

TEST(Certificate, LeavesOutNamesAndAddressesThatAreNone) {
  EXPECT_THAT(with_name(GEN_DNS, std::string_view("shop.com\0.evil.example", 22)).dns_names(), ElementsAre());
  EXPECT_FALSE(with_name(GEN_DNS, std::string_view("shop.com\0.evil.example", 22)).covers("shop.com"));
  EXPECT_THAT(with_name(GEN_DNS, "").dns_names(), ElementsAre());
  EXPECT_THAT(with_name(GEN_DNS,
                        "b\xfc"
                        "cher.example")
                  .dns_names(),
              ElementsAre());
  EXPECT_THAT(with_name(GEN_IPADD, "\x01\x02\x03").ip_addresses(), ElementsAre());
  EXPECT_THAT(with_name(GEN_IPADD, "12345678").ip_addresses(), ElementsAre());
  EXPECT_THAT(with_name(GEN_IPADD, "").ip_addresses(), ElementsAre());
  EXPECT_THAT(with_name(GEN_IPADD, "\x7f\x01\x01\x01").ip_addresses(),
              ElementsAre(IpAddress::parse("127.1.1.1").value()));
}

// RFC 9525 6.3.
TEST(Certificate, CoversANameExactlyOrByOneLabel) {
  struct Case {
    const char* own;
    const char* asked;
    bool covered;
  };
  const Case cases[] = {
      {"shop.com", "shop.com", true},       {"shop.com", "SHOP.COM", true},
      {"SHOP.com", "shop.com", true},       {"shop.com", "www.shop.com", false},
      {"shop.com", "xshop.com", false},     {"shop.com", "shop.co", false},
      {"shop.com", "shop.com.", false},     {"shop.com", "", false},
      {"*.shop.com", "www.shop.com", true}, {"*.shop.com", "WWW.Shop.com", true},
      {"*.shop.com", "_x.shop.com", true},  {"*.shop.com", "shop.com", false},
      {"*.shop.com", ".shop.com", false},   {"*.shop.com", "a.b.shop.com", false},
      {"*.shop.com", "*.shop.com", false},  {"*.shop.com", "www.shop.com.evil.example", false},
      {"*.shop.com", "localhost", false},   {"localhost", "localhost", true},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(made({.names = {std::string("DNS:") + each.own}}).covers(each.asked), each.covered)
        << each.own << " " << each.asked;
  }
}

TEST(Certificate, IsCalledByItsFirstNameOrItsSubject) {
  EXPECT_EQ(made({.names = {"IP:192.0.2.1", "DNS:shop.com"}}).label(), "shop.com");
  EXPECT_EQ(made({.names = {"IP:2001:db8::1"}}).label(), "2001:db8::1");
  EXPECT_EQ(made({.names = {}, .common_name = "The Shop"}).label(), "CN = The Shop");
  // Nothing in a subject may steer a terminal.
  EXPECT_EQ(made({.names = {}, .common_name = "a\033[31m\nb"}).label().find_first_of("\033\n"), std::string::npos);
}

TEST(Certificate, ReadsItsDates) {
  const auto now = std::chrono::system_clock::now();
  const Certificate certificate = made({.valid_from = -60, .valid_to = 3600});
  EXPECT_LE(std::chrono::abs(certificate.not_before() - now + std::chrono::seconds(60)), std::chrono::seconds(5));
  EXPECT_LE(std::chrono::abs(certificate.not_after() - now - std::chrono::hours(1)), std::chrono::seconds(5));
}

// RFC 5280 4.1.2.5: 99991231235959Z means that there is no end; no clock of 64 bit nanoseconds goes that far.
TEST(Certificate, StaysValidWhereItNeverEnds) {
  const std::pair<const char*, bool> cases[] = {
      {"99991231235959Z", true},  {"22620411234716Z", true},  {"22630101000000Z", true},  {"20500101000000Z", true},
      {"20200101000000Z", false}, {"00010101000000Z", false}, {"16770101000000Z", false},
  };
  for (const auto& [end, is_later] : cases) {
    X509Ptr certificate = native({});
    ASSERT_EQ(ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()), end), 1) << end;
    EXPECT_EQ(Certificate(std::move(certificate)).not_after() > std::chrono::system_clock::now(), is_later) << end;
  }
}

}  // namespace
}  // namespace rproxy::x509
