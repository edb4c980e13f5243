// Files of certificates, keys and the like, in all their forms, and what they say.
#include "x509/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <optional>
#include <string>

#include "support/made_certificates.h"
#include "x509/facts.h"

namespace rproxy::x509 {
namespace {

using test::authority;
using test::kDay;
using test::kNow;
using test::leaf;
using test::Made;
using test::made;
using testing::ElementsAre;
using testing::HasSubstr;

PasswordSource password(std::string_view text) {
  return [text] { return std::optional(Secret(text)); };
}

std::string refusal(std::string_view text, const PasswordSource& source = {}) {
  const auto bundle = Bundle::parse(text, "a.pem", source);
  return bundle ? "" : bundle.error().context;
}

std::shared_ptr<X509_CRL> revocation_list(const Made& by) {
  std::shared_ptr<X509_CRL> list(X509_CRL_new(), X509_CRL_free);
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(by.certificate.native()));
  ASN1_TIME* time = ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(kNow));
  X509_CRL_set1_lastUpdate(list.get(), time);
  for (long serial = 1; serial <= 3; ++serial) {
    X509_REVOKED* revoked = X509_REVOKED_new();
    ASN1_INTEGER* number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(revoked, number);
    X509_REVOKED_set_revocationDate(revoked, time);
    X509_CRL_add0_revoked(list.get(), revoked);
    ASN1_INTEGER_free(number);
  }
  ASN1_TIME_free(time);
  X509_CRL_sign(list.get(), by.key.get(), EVP_sha256());
  return list;
}

TEST(Bundle, OfPemHasAllThatIsThere) {
  const Made root = made(authority("root"));
  const Made one = made(leaf({"shop.com"}), KeyType::kEcP256, &root);
  Request::Options asked;
  asked.names = test::names_of({"shop.com"});
  std::string text = "words in between\n" + to_pem(one.certificate) + to_pem(root.certificate);
  text += private_key_pem(one.key.get())->view();
  text += Request::create(asked, one.key.get())->to_pem() + to_pem(revocation_list(root).get()) +
          public_key_pem(one.key.get());
  text += "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const auto bundle = Bundle::parse(text, "a.pem");
  ASSERT_TRUE(bundle) << bundle.error().context;
  EXPECT_EQ(bundle->form, Bundle::Form::kPem);
  ASSERT_EQ(bundle->certificates.size(), 2U);
  EXPECT_EQ(bundle->certificates.front().label(), "shop.com");
  EXPECT_EQ(bundle->keys.size(), 1U);
  EXPECT_EQ(bundle->requests.size(), 1U);
  EXPECT_EQ(bundle->revocation_lists.size(), 1U);
  EXPECT_EQ(bundle->public_keys.size(), 1U);
  EXPECT_THAT(bundle->others, ElementsAre("EC PARAMETERS"));
}

TEST(Bundle, OfDerHasOne) {
  const Made root = made(authority("root"));
  EXPECT_EQ(Bundle::parse(to_der(root.certificate), "a")->certificates.size(), 1U);
  EXPECT_EQ(Bundle::parse(private_key_der(root.key.get())->view(), "a")->keys.size(), 1U);
  EXPECT_EQ(Bundle::parse(private_key_der(root.key.get(), "x")->view(), "a", password("x"))->keys.size(), 1U);
  EXPECT_EQ(Bundle::parse(public_key_der(root.key.get()), "a")->public_keys.size(), 1U);
  EXPECT_EQ(Bundle::parse(to_der(revocation_list(root).get()), "a")->revocation_lists.size(), 1U);
  Request::Options asked;
  asked.names = test::names_of({"shop.com"});
  EXPECT_EQ(Bundle::parse(Request::create(asked, root.key.get())->to_der(), "a")->requests.size(), 1U);
}

TEST(Bundle, OfPkcs12HasKeyAndChain) {
  const Made root = made(authority("root"));
  const Made one = made(leaf({"shop.com"}), KeyType::kRsa2048, &root);
  const auto store = to_pkcs12({one.certificate, root.certificate}, one.key.get(), "sesame", "shop");
  ASSERT_TRUE(store) << store.error().context;
  const auto bundle = Bundle::parse(store->view(), "a.p12", password("sesame"));
  ASSERT_TRUE(bundle) << bundle.error().context;
  EXPECT_EQ(bundle->form, Bundle::Form::kPkcs12);
  ASSERT_EQ(bundle->certificates.size(), 2U);
  EXPECT_EQ(bundle->certificates.front().label(), "shop.com");
  ASSERT_EQ(bundle->keys.size(), 1U);
  EXPECT_TRUE(is_same_key(bundle->keys.front().get(), one.key.get()));
  EXPECT_EQ(refusal(store->view(), password("wrong")), "a.pem: that is not its password");
  EXPECT_EQ(refusal(store->view()), "a.pem: it is encrypted, and there is no password");
  EXPECT_FALSE(to_pkcs12({root.certificate}, one.key.get(), "x", "x"));
  EXPECT_TRUE(Bundle::parse(to_pkcs12({one.certificate}, one.key.get(), "", "x")->view(), "a")) << "no password is one";
}

TEST(Bundle, SaysWhatIsWrong) {
  const std::string pem = to_pem(made(authority("root")).certificate);
  EXPECT_EQ(refusal(""), "a.pem: no certificate, key, request or revocation list");
  EXPECT_EQ(refusal("hello"), "a.pem: no certificate, key, request or revocation list");
  EXPECT_THAT(refusal(pem + pem.substr(0, pem.size() / 2)), HasSubstr("item 2 is damaged"));
  EXPECT_THAT(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              HasSubstr("item 1, \"CERTIFICATE\", is malformed"));
  EXPECT_THAT(refusal("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), HasSubstr("no private key"));
}

// INTEGER 1000000 becomes 8340032: work for minutes where there are a few, before anybody knows whether the password is right.
std::string with_more_rounds(std::string der) {
  const std::string rounds("\x02\x03\x0f\x42\x40", 5);
  for (auto at = der.find(rounds); at != std::string::npos; at = der.find(rounds, at + 1)) der[at + 2] = '\x7f';
  return der;
}

std::string bytes_of(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

TEST(Bundle, ThatAsksForTooMuchWorkIsRefused) {
  constexpr int kRounds = 1'000'000;
  const Made one = made(leaf({"shop.com"}));
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeBy<PKCS8_PRIV_KEY_INFO_free>> plain(EVP_PKEY2PKCS8(one.key.get()));
  const std::unique_ptr<X509_SIG, FreeBy<X509_SIG_free>> sealed(
      PKCS8_encrypt(-1, EVP_aes_256_cbc(), "x", 1, nullptr, 0, kRounds, plain.get()));
  const BioPtr key(BIO_new(BIO_s_mem()));
  i2d_PKCS8_bio(key.get(), sealed.get());
  EXPECT_TRUE(Bundle::parse(bytes_of(key), "a", password("x")));
  EXPECT_THAT(refusal(with_more_rounds(bytes_of(key)), password("x")), HasSubstr("more rounds"));
  const std::unique_ptr<PKCS12, FreeBy<PKCS12_free>> store(
      PKCS12_create("x", "x", one.key.get(), one.certificate.native(), nullptr, 0, 0, kRounds, -1, 0));
  ASSERT_TRUE(store);
  const BioPtr both(BIO_new(BIO_s_mem()));
  i2d_PKCS12_bio(both.get(), store.get());
  EXPECT_THAT(refusal(with_more_rounds(bytes_of(both)), password("x")), HasSubstr("more rounds"));
  EXPECT_THAT(refusal(bytes_of(both), password("x")), HasSubstr("openssl pkcs12")) << "without a MAC";
}

TEST(Bundle, OfAnyBeginningIsTakenOrRefused) {
  const Made one = made(leaf({"shop.com"}));
  const std::string pem = to_pem(one.certificate) + std::string(private_key_pem(one.key.get())->view());
  for (std::size_t size = 0; size < pem.size(); ++size) (void)Bundle::parse(std::string_view(pem).substr(0, size), "a");
  const std::string der = to_der(one.certificate);
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_FALSE(Bundle::parse(std::string_view(der).substr(0, size), "a")) << size;
}

TEST(Facts, OfACertificateAreAllInWords) {
  Profile narrow = authority("root, of \"all\"");
  narrow.organization = "Shop+Co";
  narrow.authority->path_length = 1;
  narrow.authority->permitted.dns = {"shop.com"};
  narrow.authority->permitted.networks = {*IpNetwork::parse("10.0.0.0/8")};
  const Made root = made(narrow, KeyType::kEcP384);
  const CertificateFacts facts = facts_of(root.certificate);
  EXPECT_EQ(facts.subject, "O=Shop\\+Co, CN=root\\, of \\\"all\\\"");
  EXPECT_EQ(facts.issuer, facts.subject);
  EXPECT_TRUE(facts.is_self_issued);
  EXPECT_TRUE(facts.is_authority);
  EXPECT_EQ(facts.path_length, 1);
  EXPECT_EQ(facts.key, "ECDSA P-384");
  EXPECT_EQ(facts.signature, "ECDSA with SHA-384");
  EXPECT_THAT(facts.key_usage, ElementsAre("keyCertSign", "cRLSign"));
  EXPECT_THAT(facts.permitted, ElementsAre("DNS:shop.com", "IP:10.0.0.0/8"));
  EXPECT_EQ(facts.serial.size(), 32U);
  EXPECT_EQ(facts.sha256.size(), 95U);
  EXPECT_EQ(facts.sha1.size(), 59U);
  EXPECT_EQ(facts.key_pin.size(), 44U);
  const CertificateFacts one = facts_of(made(leaf({"shop.com", "10.0.0.1"}), KeyType::kRsa2048, &root).certificate);
  EXPECT_THAT(one.names, ElementsAre("DNS:shop.com", "IP:10.0.0.1"));
  EXPECT_THAT(one.key_usage, ElementsAre("digitalSignature", "keyEncipherment"));
  EXPECT_THAT(one.purposes, ElementsAre("serverAuth"));
  EXPECT_EQ(one.authority_key_id, facts.subject_key_id);
  EXPECT_FALSE(one.is_authority);
}

// What public authorities put into theirs.
TEST(Facts, OfAPublicCertificate) {
  const Made root = made(authority("root"));
  Profile profile = leaf({"shop.com"});
  const std::string log(32, 'L');
  // RFC 6962 3.3: a list of one SCT of version 1, with a signature of no meaning.
  const std::string sct = std::string(1, '\0') + log + std::string("\x00\x00\x01\xa2\x1a\x4d\x40\x00", 8) +
                          std::string("\x00\x00\x04\x03\x00\x02ss", 8);
  const auto size16 = [](std::size_t size) {
    return std::string{static_cast<char>(size >> 8U), static_cast<char>(size & 0xffU)};
  };
  const std::string list = size16(sct.size() + 2) + size16(sct.size()) + sct;
  profile.extensions.push_back(
      {"1.3.6.1.4.1.11129.2.4.2", false, std::string("\x04") + static_cast<char>(list.size()) + list});
  profile.extensions.push_back({"1.3.6.1.5.5.7.1.24", false, std::string("\x30\x03\x02\x01\x05", 5)});
  profile.extensions.push_back({"2.5.29.32", false, "\x30\x0a\x30\x08\x06\x06\x67\x81\x0c\x01\x02\x01"});
  const Made one = made(profile, KeyType::kEcP256, &root);
  const Certificate public_one = test::changed(one.certificate, root.key.get(), [](X509* c) {
    const std::pair<int, const char*> extensions[] = {
        {NID_info_access, "OCSP;URI:http://ocsp.example,caIssuers;URI:http://ca.example/a.crt"},
        {NID_crl_distribution_points, "URI:http://crl.example/a.crl"}};
    X509V3_CTX context;
    X509V3_set_ctx(&context, nullptr, c, nullptr, nullptr, 0);
    X509V3_set_ctx_nodb(&context);
    for (const auto& [nid, value] : extensions) {
      X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
      X509_add_ext(c, made, -1);
      X509_EXTENSION_free(made);
    }
  });
  const CertificateFacts facts = facts_of(public_one);
  EXPECT_THAT(facts.ocsp, ElementsAre("http://ocsp.example"));
  EXPECT_THAT(facts.issuers, ElementsAre("http://ca.example/a.crt"));
  EXPECT_THAT(facts.revocation_lists, ElementsAre("http://crl.example/a.crl"));
  EXPECT_THAT(facts.policies, ElementsAre("2.23.140.1.2.1"));
  EXPECT_TRUE(facts.must_staple);
  ASSERT_EQ(facts.timestamps.size(), 1U);
  EXPECT_EQ(facts.timestamps.front().log, "TExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTEw=");
  EXPECT_EQ(facts.timestamps.front().time, WallTime{std::chrono::seconds{1'795'737'600}});
}

TEST(Facts, OfAListOfRevokedOnes) {
  const Made root = made(authority("root"));
  const RevocationListFacts facts = facts_of(revocation_list(root).get(), 2);
  EXPECT_EQ(facts.issuer, "CN=root");
  EXPECT_EQ(facts.updated, kNow);
  EXPECT_FALSE(facts.next);
  EXPECT_EQ(facts.count, 3U);
  ASSERT_EQ(facts.entries.size(), 2U);
  EXPECT_EQ(facts.entries[1].serial, "02");
}

}  // namespace
}  // namespace rproxy::x509
