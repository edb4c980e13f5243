// Hellos and their answers, as bytes; OpenSSL's own server is who has to understand them.
#include "scan/hello.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "net/tls_context.h"
#include "scan/cipher.h"
#include "support/test_certificates.h"
#include "x509/certified_key.h"

namespace rproxy::scan {
namespace {

using Kind = ServerAnswer::Kind;

class Server {
 public:
  Server() : context_(SSL_CTX_new(TLS_server_method())) {
    const test::PemPair made = test::TestAuthority().issue({{"DNS:shop.com"}});
    auto key = x509::CertifiedKey::parse(made.cert, made.key, "cert", "key");
    SSL_CTX_use_certificate(context_.get(), key->leaf().native());
    SSL_CTX_use_PrivateKey(context_.get(), key->key());
    SSL_CTX_set_options(context_.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set1_groups_list(context_.get(), "P-256:X25519");
  }
  SSL_CTX* context() { return context_.get(); }

  std::string answer(const ClientHello& hello) {
    const net::SslPtr ssl(SSL_new(context_.get()));
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl.get(), in, out);
    const std::string bytes = hello.to_bytes(std::string(32, 'r'));
    BIO_write(in, bytes.data(), static_cast<int>(bytes.size()));
    SSL_accept(ssl.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    return {data, static_cast<std::size_t>(size)};
  }
  ServerAnswer ask(const ClientHello& hello) { return ServerAnswer::parse(answer(hello)); }

 private:
  net::SslCtxPtr context_;
};

ClientHello hello_of(std::uint16_t version) {
  ClientHello hello;
  hello.version = version;
  for (const Cipher& each : version >= kTls13 ? tls13_ciphers() : older_ciphers()) hello.ciphers.push_back(each.number);
  hello.groups = {0x001d, 0x0017};
  hello.server_name = "shop.com";
  return hello;
}

TEST(Hello, IsUnderstoodInEachVersion) {
  Server server;
  for (const std::uint16_t version : {kTls10, kTls11, kTls12, kTls13}) {
    const ServerAnswer answer = server.ask(hello_of(version));
    EXPECT_EQ(answer.kind, Kind::kHello) << version_name(version);
    EXPECT_EQ(answer.version, version);
    EXPECT_EQ(answer.group, 0x0017) << "its own first choice";
    EXPECT_FALSE(answer.compression);
  }
  const ServerAnswer answer = server.ask(hello_of(kTls12));
  EXPECT_EQ(cipher_name(answer.cipher), "ECDHE-ECDSA-AES256-GCM-SHA384");
  EXPECT_TRUE(answer.renegotiation);
  EXPECT_TRUE(answer.extended_master_secret);
}

TEST(Hello, IsRefusedInAnOldVersion) {
  Server server;
  SSL_CTX_set_min_proto_version(server.context(), TLS1_2_VERSION);
  const ServerAnswer answer = server.ask(hello_of(kTls10));
  EXPECT_EQ(answer.kind, Kind::kAlert);
  EXPECT_EQ(answer.alert, 70);  // protocol_version
}

TEST(Hello, ThatFallsBackIsRefused) {
  Server server;
  ClientHello hello = hello_of(kTls12);
  hello.fallback = true;
  const ServerAnswer answer = server.ask(hello);
  EXPECT_EQ(answer.kind, Kind::kAlert);
  EXPECT_EQ(answer.alert, 86);  // inappropriate_fallback
}

TEST(Hello, TellsTheSizeOfAPrime) {
  Server server;
  SSL_CTX_set_max_proto_version(server.context(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(server.context(), "ADH-AES128-SHA@SECLEVEL=0");
  SSL_CTX_set_dh_auto(server.context(), 1);
  const ServerAnswer answer = server.ask(hello_of(kTls12));
  EXPECT_EQ(answer.kind, Kind::kHello);
  EXPECT_EQ(cipher_name(answer.cipher), "ADH-AES128-SHA");
  EXPECT_GE(answer.dh_bits, 1024);
}

TEST(Answer, IsTheSameHoweverItArrives) {
  Server server;
  for (const std::uint16_t version : {kTls12, kTls13}) {
    const std::string bytes = server.answer(hello_of(version));
    const ServerAnswer whole = ServerAnswer::parse(bytes);
    bool is_done = false;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const ServerAnswer part = ServerAnswer::parse(std::string_view(bytes).substr(0, size));
      if (part.kind == Kind::kMore) {
        EXPECT_FALSE(is_done) << size;
        continue;
      }
      is_done = true;
      EXPECT_EQ(part.kind, Kind::kHello);
      EXPECT_EQ(part.cipher, whole.cipher);
    }
    EXPECT_TRUE(is_done);
  }
}

TEST(Answer, ThatIsNotTlsIsNone) {
  EXPECT_EQ(ServerAnswer::parse("HTTP/1.1 400 Bad Request\r\n\r\n").kind, Kind::kOther);
  EXPECT_EQ(ServerAnswer::parse("SSH-2.0-OpenSSH\r\n").kind, Kind::kOther);
  EXPECT_EQ(ServerAnswer::parse("").kind, Kind::kMore);
  // A warning that says nothing, and an end.
  EXPECT_EQ(ServerAnswer::parse(std::string("\x15\x03\x03\x00\x02\x01\x70", 7)).kind, Kind::kMore);
  EXPECT_EQ(ServerAnswer::parse(std::string("\x15\x03\x03\x00\x02\x02\x28", 7)).kind, Kind::kAlert);
}

TEST(Cipher, HasAName) {
  EXPECT_EQ(cipher_name(0x1301), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(cipher_name(0xabcd), "0xABCD");
  EXPECT_EQ(cipher_strength(0x0005), Strength::kWeak);
  EXPECT_EQ(group_name(0x11ec), "X25519MLKEM768");
  EXPECT_EQ(group_name(0x9999), "0x9999");
}

}  // namespace
}  // namespace rproxy::scan
