// What upstreams are told of a client's certificate, and what of a client's own words is left.
#include "proxy/client_certificate_field.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/base64.h"
#include "proxy/client_identity.h"
#include "proxy/request_head.h"
#include "support/test_certificates.h"
#include "x509/certified_key.h"

namespace rproxy::proxy {
namespace {

using Format = ClientCertificateField::Format;
using http::FieldId;

exchange::ClientCertificate certificate(const std::string& common_name = "cart") {
  static const test::TestAuthority authority;
  const auto pem =
      authority.issue({.names = {"DNS:cart.shop.com", "URI:spiffe://shop.com/cart"}, .common_name = common_name}).cert;
  return exchange::ClientCertificate(x509::parse_certificates(pem, "test.pem", 1)->front());
}

struct Fixture {
  Fixture() {
    request.client = &client;
    request.arena = &arena;
    client.peer.ip = *IpAddress::parse("10.0.0.1");
    options.client_cert.emplace();
  }
  // As it leaves for the upstream.
  void pass() {
    ClientIdentity(options).establish(request);
    prepare_request_head(request, options);
  }
  std::string told(std::string_view name = "Client-Cert") const {
    const auto* field = request.head.fields.find(name);
    return field != nullptr ? std::string(field->value) : "nothing";
  }

  Arena arena;
  exchange::Client client;
  exchange::Request request;
  ForwardingOptions options;
  const exchange::ClientCertificate cart = certificate();
};

TEST(ClientCertificateField, IsTheCertificateAsAByteSequence) {
  Fixture f;
  f.client.certificate = &f.cart;
  f.pass();
  const std::string told = f.told();
  ASSERT_TRUE(told.starts_with(':') && told.ends_with(':'));
  std::string pem = "-----BEGIN CERTIFICATE-----\n" + told.substr(1, told.size() - 2) + "\n-----END CERTIFICATE-----\n";
  const auto parsed = x509::parse_certificates(pem, "told", 1);
  ASSERT_TRUE(parsed.has_value()) << describe(parsed.error());
  EXPECT_EQ(X509_cmp(parsed->front().native(), f.cart.certificate.native()), 0);
}

TEST(ClientCertificateField, ComesInTheFormsOfOthers) {
  const auto cart = certificate("a \"b\"; c");
  const std::string pem = client_certificate_text(cart, Format::kPem);
  EXPECT_TRUE(pem.starts_with("-----BEGIN%20CERTIFICATE-----%0A")) << pem;
  EXPECT_EQ(pem.find_first_of(" \n+/="), std::string::npos);
  EXPECT_EQ(client_certificate_text(cart, Format::kXfcc),
            "Hash=" + cart.names.sha256 +
                R"(;Subject="CN=a \\\"b\\\"\\; c";DNS="cart.shop.com";URI="spiffe://shop.com/cart")");
}

TEST(ClientCertificateField, IsNeverTheClientsOwnWord) {
  for (const bool tells : {true, false}) {
    for (const char* name : {"Client-Cert", "client-cert", "Client_Cert", "Client-Cert-Chain", "CLIENT_CERT_CHAIN"}) {
      Fixture f;
      if (!tells) f.options.client_cert.reset();
      f.request.head.fields.add(name, ":Zm9yZ2Vk:");
      f.pass();
      EXPECT_EQ(f.told(name), "nothing") << name << tells;
    }
  }
}

TEST(ClientCertificateField, OfAnyNameIsNeverTheClientsOwnWord) {
  for (const char* name : {"X-SSL-Cert", "x_ssl_cert", "Client-Cert"}) {
    Fixture f;
    f.options.client_cert->name = "X-SSL-Cert";
    f.request.head.fields.add(name, "forged");
    f.client.certificate = &f.cart;
    f.pass();
    EXPECT_EQ(f.request.head.fields.find("x_ssl_cert"), nullptr);
    EXPECT_EQ(f.told(), "nothing");
    EXPECT_TRUE(f.told("X-SSL-Cert").starts_with(':'));
  }
}

// A hop-by-hop field would be taken away (RFC 9110 7.6.1).
TEST(ClientCertificateField, StaysWhereTheClientNominatesIt) {
  for (const char* name : {"Client-Cert", "X-SSL-Cert"}) {
    Fixture f;
    f.options.client_cert->name = name;
    f.request.head.fields.add("Connection", name);
    f.client.certificate = &f.cart;
    f.pass();
    EXPECT_TRUE(f.told(name).starts_with(':')) << name;
  }
}

TEST(ClientCertificateField, OfATrustedProxyStays) {
  Fixture f;
  f.options.trusted_proxies.push_back(*IpNetwork::parse("10.0.0.0/8"));
  f.client.certificate = &f.cart;  // the proxy's own
  f.request.head.fields.add("Client-Cert", ":b3RoZXI=:");
  f.pass();
  EXPECT_EQ(f.told(), ":b3RoZXI=:");
  Fixture none;
  none.options = f.options;
  none.client.certificate = &f.cart;
  none.pass();
  EXPECT_EQ(none.told(), "nothing");
}

// What depends on it is told apart by Vary, which is looked at before the head is made ready for the upstream.
TEST(ClientCertificateField, IsThereBeforeTheCacheLooks) {
  Fixture f;
  f.client.certificate = &f.cart;
  ClientIdentity(f.options).establish(f.request);
  EXPECT_TRUE(f.told().starts_with(':'));
}

}  // namespace
}  // namespace rproxy::proxy
