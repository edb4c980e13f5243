// PEM texts as operators keep them, and what is wrong with them.
#include "x509/certified_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "support/temporary_directory.h"
#include "support/test_certificates.h"
#include "x509/trust_store.h"

namespace rproxy::x509 {
namespace {

using test::CertificateSpec;
using test::KeyKind;
using test::PemPair;
using testing::AllOf;
using testing::HasSubstr;

Result<CertifiedKey> parse(std::string_view cert, std::string_view key) {
  return CertifiedKey::parse(cert, key, "site.pem", "site.key");
}

std::string key_pem(EVP_PKEY* key, int (*write)(BIO*, const EVP_PKEY*)) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  write(bio.get(), key);
  return test::text_of(bio);
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return out;
}

struct Site {
  test::TestAuthority authority;
  PemPair pair = authority.issue({.names = {"DNS:shop.com"}});
  PemPair other = authority.issue({.names = {"DNS:other.com"}});
};

TEST(CertifiedKey, TakesEveryKindOfKey) {
  const test::TestAuthority authority;
  const std::pair<KeyKind, int> kinds[] = {
      {KeyKind::kEc, EVP_PKEY_EC}, {KeyKind::kRsa, EVP_PKEY_RSA}, {KeyKind::kEd25519, EVP_PKEY_ED25519}};
  for (const auto& [kind, type] : kinds) {
    const PemPair pair = authority.issue({.names = {"DNS:shop.com"}, .key = kind});
    const auto key = parse(pair.cert, pair.key);
    ASSERT_TRUE(key.has_value()) << describe(key.error());
    EXPECT_EQ(key->key_type(), type);
    EXPECT_EQ(key->leaf().label(), "shop.com");
  }
}

TEST(CertifiedKey, ReadsPemHoweverItIsLaidOut) {
  const Site site;
  const auto& [cert, key] = site.pair;
  const std::string chain = cert + site.authority.pem();
  struct Case {
    const char* what;
    std::string cert;
    std::string key;
    std::size_t chain;
  };
  const Case cases[] = {
      {"leaf alone", cert, key, 1},
      {"with its chain", chain, key, 2},
      {"one file, key first", key + chain, key + chain, 2},
      {"one file, key last", chain + key, chain + key, 2},
      {"one file, key between", cert + key + site.authority.pem(), cert + key + site.authority.pem(), 2},
      {"text around", "subject=shop\n" + cert + "\n\nissuer=us\n" + site.authority.pem() + "bye\n", "# key\n" + key, 2},
      {"CRLF", with_crlf(chain), with_crlf(key), 2},
      {"no last newline", cert.substr(0, cert.size() - 1), key.substr(0, key.size() - 1), 1},
  };
  for (const Case& each : cases) {
    const auto made = parse(each.cert, each.key);
    ASSERT_TRUE(made.has_value()) << each.what << ": " << describe(made.error());
    EXPECT_EQ(made->chain().size(), each.chain) << each.what;
    EXPECT_EQ(made->leaf().label(), "shop.com") << each.what;
  }
}

TEST(CertifiedKey, TakesTheOlderKeyFormats) {
  const test::TestAuthority authority;
  const PemPair pair = authority.issue({.names = {"DNS:shop.com"}, .key = KeyKind::kRsa});
  const BioPtr bio(BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const std::string traditional = key_pem(key.get(), [](BIO* out, const EVP_PKEY* from) {
    return PEM_write_bio_PrivateKey_traditional(out, from, nullptr, nullptr, 0, nullptr, nullptr);
  });
  ASSERT_THAT(traditional, HasSubstr("BEGIN RSA PRIVATE KEY"));
  EXPECT_TRUE(parse(pair.cert, traditional).has_value());

  // What `openssl ecparam -genkey` writes: the curve's parameters stand in front of the key.
  const PemPair ec = authority.issue({.names = {"DNS:shop.com"}});
  EXPECT_TRUE(parse(ec.cert, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + ec.key)
                  .has_value());
}

TEST(CertifiedKey, SaysWhatIsWrong) {
  const Site site;
  const auto& [cert, key] = site.pair;
  const std::string password = "secret";
  const BioPtr bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const KeyPtr native(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const std::string encrypted = test::pem_of(native.get(), password.c_str());
  const std::string old_encrypted = key_pem(native.get(), [](BIO* out, const EVP_PKEY* from) {
    unsigned char secret[] = "secret";
    return PEM_write_bio_PrivateKey_traditional(out, from, EVP_aes_128_cbc(), secret, 6, nullptr, nullptr);
  });
  const std::string public_key = key_pem(native.get(), PEM_write_bio_PUBKEY);
  std::string many;
  for (int i = 0; i < 17; ++i) many += cert;
  const std::string cut = cert.substr(0, cert.size() / 2);
  std::string wrong_base64 = cert;
  wrong_base64.replace(wrong_base64.find('\n') + 5, 4, "!!!!");
  std::string wrong_der = cert;
  wrong_der.replace(wrong_der.find('\n') + 1, 4, "AAAA");
  struct Case {
    const char* what;
    std::string cert;
    std::string key;
    const char* message;
  };
  const Case cases[] = {
      {"no text", "", key, "site.pem: no certificate"},
      {"no PEM", "hello\n", key, "site.pem: no certificate"},
      {"DER", std::string("\x30\x82\x01\x0a\x02", 5), key, "site.pem: no certificate"},
      {"a key for a certificate", key, key, "site.pem: no certificate"},
      {"cut off", cut, key, "site.pem: certificate 1 is malformed"},
      {"second cut off", cert + cut, key, "site.pem: certificate 2 is malformed"},
      {"wrong base64", wrong_base64, key, "site.pem: certificate 1 is malformed"},
      {"wrong DER", cert + wrong_der + cert, key, "site.pem: certificate 2 is malformed"},
      {"too many", many, key, "site.pem: more than 16 certificates"},
      {"no key", cert, "", "site.key: no private key"},
      {"a certificate for a key", cert, cert, "site.key: no private key"},
      {"a public key", cert, public_key, "site.key: no private key"},
      {"a key cut off", cert, key.substr(0, key.size() / 2), "site.key: no private key"},
      {"encrypted", cert, encrypted, "site.key: the private key is encrypted"},
      {"encrypted, older form", cert, old_encrypted, "site.key: the private key is encrypted"},
      {"another's key", cert, site.other.key, "site.pem: the private key site.key does not belong"},
      {"chain first", site.authority.pem() + cert, key, "must come first, before its chain"},
  };
  for (const Case& each : cases) {
    const auto made = parse(each.cert, each.key);
    ASSERT_FALSE(made.has_value()) << each.what;
    EXPECT_EQ(made.error().code, ErrorCode::kConfig) << each.what;
    EXPECT_EQ(made.error().side, Side::kLocal) << each.what;
    EXPECT_THAT(made.error().context, HasSubstr(each.message)) << each.what;
    EXPECT_THAT(made.error().context, testing::Not(HasSubstr("unknown error"))) << each.what;
    // What one text left in OpenSSL's queue must not be told of the next.
    EXPECT_EQ(take_openssl_reason(), "unknown error") << each.what;
    EXPECT_TRUE(parse(cert, key).has_value()) << each.what;
  }
}

TEST(CertifiedKey, RefusesKindsOfKeysThatTlsHasNoUseFor) {
  const KeyPtr x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  const Site site;
  const auto made = parse(site.pair.cert, test::pem_of(x25519.get()));
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().context, HasSubstr("neither RSA, ECDSA nor Ed25519"));
}

TEST(CertifiedKey, TakesSixteenCertificates) {
  const Site site;
  std::string chain;
  for (int i = 0; i < 16; ++i) chain += site.pair.cert;
  const auto made = parse(chain, site.pair.key);
  ASSERT_TRUE(made.has_value()) << describe(made.error());
  EXPECT_EQ(made->chain().size(), 16U);
}

TEST(CertifiedKey, ComesFromFilesAndNamesTheOneThatFails) {
  const test::TemporaryDirectory files;
  const Site site;
  const auto cert = files.write("site.pem", site.pair.cert);
  const auto key = files.write("site.key", site.pair.key);
  ASSERT_TRUE(CertifiedKey::load(cert, key).has_value());
  const auto large = files.write("large.pem", std::string(256 * 1024 + 1, 'x'));
  const auto pipe = files.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  struct Case {
    std::string cert;
    std::string key;
    std::string named;
    const char* message;
  };
  const Case cases[] = {
      {files.path("none.pem"), key, files.path("none.pem"), "No such file"},
      {cert, files.path("none.key"), files.path("none.key"), "No such file"},
      {files.path("."), key, files.path("."), "not a regular file"},
      {pipe, key, pipe, "not a regular file"},
      {large, key, large, "larger than any such file should be"},
      {cert, large, large, "larger than any such file should be"},
  };
  for (const Case& each : cases) {
    const auto made = CertifiedKey::load(each.cert, each.key);
    ASSERT_FALSE(made.has_value()) << each.named;
    EXPECT_EQ(made.error().code, ErrorCode::kFile) << each.named;
    EXPECT_THAT(describe(made.error()), AllOf(HasSubstr(each.named), HasSubstr(each.message)));
  }
}

TEST(ReadFile, TakesExactlyWhatIsAllowed) {
  const test::TemporaryDirectory files;
  const auto path = files.write("ten", "0123456789");
  EXPECT_EQ(read_file(path, 10).value(), "0123456789");
  EXPECT_FALSE(read_file(path, 9).has_value());
  EXPECT_EQ(read_file(files.write("empty", ""), 0).value(), "");
  EXPECT_EQ(read_file(files.write("nul", std::string_view("a\0b", 3)), 10).value(), std::string("a\0b", 3));
}

TEST(TrustStore, IsExactlyTheCertificatesOfItsFile) {
  const test::TemporaryDirectory files;
  const test::TestAuthority one("one");
  const test::TestAuthority two("two");
  // The same twice is no mistake: bundles are pasted together.
  const auto store = TrustStore::from_file(files.write("ca.pem", one.pem() + two.pem() + one.pem()));
  ASSERT_TRUE(store.has_value()) << describe(store.error());
  EXPECT_EQ(sk_X509_OBJECT_num(X509_STORE_get0_objects(store->native())), 2);
  EXPECT_EQ(take_openssl_reason(), "unknown error");
}

TEST(TrustStore, RefusesAFileWithoutCertificates) {
  const test::TemporaryDirectory files;
  const test::TestAuthority authority;
  const std::pair<std::string, const char*> cases[] = {
      {files.write("empty.pem", ""), "no certificate in PEM form"},
      {files.write("cut.pem", authority.pem() + authority.pem().substr(0, 200)), "certificate 2 is malformed"},
      {files.path("none.pem"), "No such file"},
      {files.path("."), "not a regular file"},
  };
  for (const auto& [path, message] : cases) {
    const auto store = TrustStore::from_file(path);
    ASSERT_FALSE(store.has_value()) << path;
    EXPECT_THAT(describe(store.error()), AllOf(HasSubstr(path), HasSubstr(message)));
  }
}

}  // namespace
}  // namespace rproxy::x509
