// Certificates and requests as they are made here, judged by OpenSSL as strictly as it can.
#include "x509/issuing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/made_certificates.h"
#include "x509/private_key.h"
#include "x509/request.h"
#include "x509/trust_store.h"

namespace rproxy::x509 {
namespace {

using test::authority;
using test::kDay;
using test::kNow;
using test::leaf;
using test::Made;
using test::made;
using test::names_of;
using testing::ElementsAre;
using testing::HasSubstr;

// OpenSSL's word on it, by RFC 5280 and nothing less.
int verify(const Certificate& leaf, const std::vector<Certificate>& between, const Certificate& root) {
  const StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root.native());
  STACK_OF(X509)* chain = sk_X509_new_null();
  for (const Certificate& each : between) sk_X509_push(chain, each.native());
  const std::unique_ptr<X509_STORE_CTX, FreeBy<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.native(), chain);
  X509_VERIFY_PARAM* how = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_time(how, std::chrono::system_clock::to_time_t(kNow));
  X509_VERIFY_PARAM_set_purpose(how, X509_PURPOSE_SSL_SERVER);
  X509_verify_cert(context.get());
  const int code = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(chain);
  ERR_clear_error();
  return code;
}

TEST(SubjectName, ShowsWhatItIs) {
  struct Case {
    const char* text;
    const char* known_as;  // null: refused
  };
  for (const Case& each : {Case{"Shop.com", "DNS:shop.com"},
                           Case{"*.shop.com", "DNS:*.shop.com"},
                           Case{"shop.com.", "DNS:shop.com"},
                           Case{"localhost", "DNS:localhost"},
                           Case{"192.0.2.1", "IP:192.0.2.1"},
                           Case{"::1", "IP:::1"},
                           Case{"[2001:DB8::1]", "IP:2001:db8::1"},
                           Case{"https://shop.com/a", "URI:https://shop.com/a"},
                           Case{"spiffe://shop.com/api", "URI:spiffe://shop.com/api"},
                           Case{"ops@Shop.com", "email:ops@shop.com"},
                           Case{"URI:urn:uuid:1", "URI:urn:uuid:1"},
                           Case{"DNS:a.b", "DNS:a.b"},
                           Case{"email:a@b", "email:a@b"},
                           Case{"IP:10.0.0.1", "IP:10.0.0.1"},
                           Case{"", nullptr},
                           Case{"a..b", nullptr},
                           Case{"a.*.b", nullptr},
                           Case{"shop.com:443", nullptr},
                           Case{"shop.com/a", nullptr},
                           Case{"b\xc3\xbc"
                                "cher.example",
                                nullptr},
                           Case{"IP:shop.com", nullptr},
                           Case{"a b", nullptr},
                           Case{"@shop.com", nullptr},
                           Case{"ops@", nullptr},
                           Case{"https://a b", nullptr},
                           Case{"URI:nothing", nullptr},
                           Case{"a\nb.com", nullptr},
                           Case{"a,DNS:b.com", nullptr}}) {
    const auto name = SubjectName::parse(each.text);
    EXPECT_EQ(name ? to_string(*name) : "refused", each.known_as != nullptr ? each.known_as : "refused") << each.text;
  }
}

TEST(Issuing, MakesWhatTheStrictestVerifierTakes) {
  const Made root = made(authority("root"));
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048, KeyType::kEd25519}) {
    const Made one = made(leaf({"shop.com", "*.shop.com", "127.0.0.1", "::1"}), type, &root);
    EXPECT_EQ(verify(one.certificate, {}, root.certificate), X509_V_OK) << to_string(type);
    EXPECT_THAT(one.certificate.dns_names(), ElementsAre("shop.com", "*.shop.com"));
    EXPECT_EQ(one.certificate.ip_addresses().size(), 2U);
    EXPECT_TRUE(is_same_key(X509_get0_pubkey(one.certificate.native()), one.key.get()));
  }
}

TEST(Issuing, MakesChains) {
  const Made root = made(authority("root"), KeyType::kEcP384);
  Profile below = authority("between");
  below.authority->path_length = 0;
  below.not_after = kNow + 1000 * kDay;
  const Made between = made(below, KeyType::kRsa2048, &root);
  const Made one = made(leaf({"shop.com"}), KeyType::kEcP256, &between);
  EXPECT_EQ(verify(one.certificate, {between.certificate}, root.certificate), X509_V_OK);
  below.common_name = "below";
  const auto refused = issue(below, one.key.get(), {between.certificate, between.key.get()});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().context, HasSubstr("path length is 0"));
}

TEST(Issuing, OfItselfIsForServersAndNoAuthority) {
  const Made one = made(leaf({"localhost"}));
  EXPECT_EQ(verify(one.certificate, {}, one.certificate), X509_V_OK);
  EXPECT_EQ(X509_check_ca(one.certificate.native()), 0);
  EXPECT_EQ(X509_get_extended_key_usage(one.certificate.native()), static_cast<std::uint32_t>(XKU_SSL_SERVER));
}

TEST(Issuing, WithoutASubjectItsNamesAreCritical) {
  const Made root = made(authority("root"));
  const Made one = made(leaf({"https://shop.com/a"}), KeyType::kEcP256, &root);
  EXPECT_EQ(X509_NAME_entry_count(X509_get_subject_name(one.certificate.native())), 0);
  const int at = X509_get_ext_by_NID(one.certificate.native(), NID_subject_alt_name, -1);
  EXPECT_EQ(X509_EXTENSION_get_critical(X509_get_ext(one.certificate.native(), at)), 1);
  EXPECT_EQ(verify(one.certificate, {}, root.certificate), X509_V_OK);
}

TEST(Issuing, HasSerialNumbersOfItsOwn) {
  const Made one = made(leaf({"a"}));
  const Made other = made(leaf({"a"}));
  const ASN1_INTEGER* left = X509_get0_serialNumber(one.certificate.native());
  EXPECT_NE(ASN1_INTEGER_cmp(left, X509_get0_serialNumber(other.certificate.native())), 0);
  EXPECT_GE(ASN1_STRING_length(left), 16);
  EXPECT_EQ(ASN1_STRING_type(left), V_ASN1_INTEGER) << "not a negative one";
}

TEST(Issuing, KeepsToTheConstraintsOfItsAuthority) {
  Profile profile = authority("narrow");
  profile.authority->permitted.dns = {"shop.com"};
  profile.authority->permitted.networks = {*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("fd00::/8")};
  const Made narrow = made(profile);
  profile.authority->permitted.networks.clear();
  const Made hosts_only = made(profile);
  const auto may = [](const Made& by, std::initializer_list<const char*> names) {
    const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
    return issue(leaf(names), key.get(), {by.certificate, by.key.get()}).has_value();
  };
  EXPECT_TRUE(may(narrow, {"shop.com", "a.b.shop.com", "10.1.2.3", "fd00::1"}));
  EXPECT_FALSE(may(narrow, {"shop.com", "other.com"}));
  EXPECT_FALSE(may(narrow, {"11.0.0.1"}));
  EXPECT_FALSE(may(narrow, {"fe80::1"}));
  EXPECT_TRUE(may(hosts_only, {"shop.com"}));
  EXPECT_FALSE(may(hosts_only, {"shop.com", "10.1.2.3"})) << "addresses are no way around host names";
  EXPECT_FALSE(may(hosts_only, {"::1"}));
  const Made one = made(leaf({"www.shop.com", "10.0.0.1"}), KeyType::kEcP256, &narrow);
  EXPECT_EQ(verify(one.certificate, {}, narrow.certificate), X509_V_OK);
}

TEST(Issuing, SaysWhatItRefuses) {
  const Made root = made(authority("root"));
  const Made no_authority = made(leaf({"a.com"}));
  const auto refusal = [&](const Profile& profile, const Made& by) {
    const auto certificate = issue(profile, no_authority.key.get(), {by.certificate, by.key.get()});
    return certificate ? "" : certificate.error().context;
  };
  EXPECT_THAT(refusal(leaf({"b.com"}), no_authority), HasSubstr("a.com is no authority"));
  Profile late = leaf({"b.com"});
  late.not_after = kNow + 4000 * kDay;
  EXPECT_THAT(refusal(late, root), HasSubstr("outlive its authority"));
  EXPECT_THAT(refusal({}, root), HasSubstr("end before it begins"));
  Profile nobody = leaf({});
  EXPECT_THAT(refusal(nobody, root), HasSubstr("it takes a name"));
  nobody.common_name = std::string(65, 'x');
  EXPECT_THAT(refusal(nobody, root), HasSubstr("room for 64"));
  const auto wrong_key = issue(leaf({"b.com"}), root.key.get(), {root.certificate, no_authority.key.get()});
  EXPECT_THAT(wrong_key.error().context, HasSubstr("does not belong to the authority"));
}

TEST(Issuing, MakesTheCertificateOfAnAcmeChallenge) {
  const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
  const std::string digest(32, '\x5a');
  const auto one = acme_alpn_certificate(*SubjectName::parse("shop.com"), digest, key.get(), kNow);
  ASSERT_TRUE(one);
  EXPECT_THAT(one->dns_names(), ElementsAre("shop.com"));
  const std::unique_ptr<ASN1_OBJECT, FreeBy<ASN1_OBJECT_free>> oid(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const int at = X509_get_ext_by_OBJ(one->native(), oid.get(), -1);
  ASSERT_GE(at, 0);
  X509_EXTENSION* extension = X509_get_ext(one->native(), at);
  EXPECT_EQ(X509_EXTENSION_get_critical(extension), 1);
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
  const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
  EXPECT_EQ(bytes, "\x04\x20" + digest);
  EXPECT_FALSE(acme_alpn_certificate(*SubjectName::parse("shop.com"), "short", key.get(), kNow));
}

TEST(Request, SaysWhatItAsksFor) {
  for (const KeyType type : {KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048, KeyType::kEd25519}) {
    const KeyPtr key = std::move(*generate_key(type));
    Request::Options options;
    options.names = names_of({"shop.com", "10.0.0.1", "ops@shop.com", "urn://x"});
    options.common_name = "shop.com";
    options.organization = "Shop";
    options.must_staple = true;
    const auto request = Request::create(options, key.get());
    ASSERT_TRUE(request) << request.error().context;
    for (const std::string& text : {request->to_der(), request->to_pem()}) {
      const auto read = Request::parse(text, "a.csr");
      ASSERT_TRUE(read) << read.error().context;
      EXPECT_EQ(*read->names(), options.names);
      EXPECT_EQ(read->common_name(), "shop.com");
      EXPECT_EQ(read->organization(), "Shop");
      EXPECT_THAT(read->other_extensions(), ElementsAre("TLS Feature"));
      EXPECT_TRUE(is_same_key(read->public_key(), key.get()));
    }
  }
}

TEST(Request, OfAnAcmeClientHasNamesAlone) {
  const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
  Request::Options options;
  options.names = names_of({"shop.com", "www.shop.com"});
  const auto request = Request::create(options, key.get());
  ASSERT_TRUE(request);
  EXPECT_EQ(X509_NAME_entry_count(X509_REQ_get_subject_name(request->native())), 0);
  EXPECT_TRUE(request->other_extensions().empty());
}

TEST(Request, WithAForgedSignatureIsNone) {
  const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
  Request::Options options;
  options.names = names_of({"shop.com"});
  std::string der = Request::create(options, key.get())->to_der();
  der[der.find("shop.com")] = 'x';
  EXPECT_EQ(Request::parse(der, "a.csr").error().context, "a.csr: the request is not signed by the key that is in it");
  EXPECT_EQ(Request::parse("hello", "a.csr").error().context, "a.csr: no certificate request in PEM or DER");
}

}  // namespace
}  // namespace rproxy::x509
