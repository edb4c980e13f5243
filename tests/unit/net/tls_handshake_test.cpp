#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/openssl_client.h"
#include "support/tls_fixture.h"

namespace rproxy::net {
namespace {

using test::KeyKind;
using test::TlsEnds;

// OpenSSL's own client against our server.
void meet(TlsEnds& ends, test::OpensslClient& client, test::OpensslClient::Options options) {
  ends.make_contexts();
  ends.server = TlsStream::accept(client.open(ends.loop), *ends.server_context);
  client.start(std::move(options));
  ends.loop.run(TlsEnds::shake_only(*ends.server, ends.server_done));
  client.join();
}

TEST(TlsHandshake, AgreesOnModernDefaults) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.shake("shop.com");
  ASSERT_TRUE(ends.client_done.has_value()) << describe(ends.client_done.error());
  ASSERT_TRUE(ends.server_done.has_value()) << describe(ends.server_done.error());
  EXPECT_EQ(ends.server->version(), "TLSv1.3");
  EXPECT_EQ(ends.server->cipher(), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(ends.server->server_name(), "shop.com");
  EXPECT_EQ(ends.server->alpn(), "http/1.1");
  EXPECT_EQ(ends.client->alpn(), "http/1.1");
  EXPECT_FALSE(ends.client->is_resumed());
}

TEST(TlsHandshake, WorksWithEveryKindOfKeyAndBothVersions) {
  for (const KeyKind kind : {KeyKind::kEc, KeyKind::kRsa, KeyKind::kEd25519}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsEnds ends;
      ends.add_key({.names = {"DNS:shop.com"}, .key = kind});
      test::OpensslClient client;
      meet(ends, client, {.name = "shop.com", .version_max = version, .signatures = "", .ciphers = ""});
      ASSERT_TRUE(client.connected) << client.error;
      ASSERT_TRUE(ends.server_done.has_value()) << describe(ends.server_done.error());
      EXPECT_EQ(ends.server->version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
      EXPECT_EQ(ends.server->version(), client.version);
    }
  }
}

TEST(TlsHandshake, ChoosesTheCertificateByName) {
  struct Case {
    const char* asked;
    const char* presented;
  };
  const Case cases[] = {
      {"shop.com", "shop.com"},
      {"SHOP.com", "shop.com"},
      {"www.shop.com", "*.shop.com"},
      {"api.shop.com", "api.shop.com"},     // exact before wildcard
      {"a.b.shop.com", "default.example"},  // a wildcard is one label
      {"other.example", "default.example"},
      {"", "default.example"},  // no name at all
      {"not a name", "default.example"},
  };
  for (const Case& each : cases) {
    TlsEnds ends;
    ends.serve({"DNS:default.example"});
    ends.serve({"DNS:*.shop.com", "DNS:elsewhere.example"});
    ends.serve({"DNS:shop.com"});
    ends.serve({"DNS:api.shop.com"});
    test::OpensslClient client;
    meet(ends, client, {.name = each.asked, .version_max = 0, .signatures = "", .ciphers = ""});
    ASSERT_TRUE(client.connected) << each.asked << ": " << client.error;
    EXPECT_EQ(client.presented, each.presented) << each.asked;
  }
}

TEST(TlsHandshake, ServesOneNameWithTwoKindsOfKeys) {
  for (const bool first_is_default : {true, false}) {
    for (const char* signatures : {"ECDSA+SHA256", "RSA-PSS+SHA256"}) {
      TlsEnds ends;
      if (!first_is_default) ends.serve({"DNS:default.example"});
      ends.add_key({.names = {"DNS:shop.com", "DNS:more.example"}, .key = KeyKind::kEc});
      ends.add_key({.names = {"DNS:shop.com"}, .key = KeyKind::kRsa});
      test::OpensslClient client;
      meet(ends, client, {.name = "shop.com", .version_max = 0, .signatures = signatures, .ciphers = ""});
      ASSERT_TRUE(client.connected) << client.error;
      EXPECT_EQ(client.presented, "shop.com");
      EXPECT_EQ(client.key_type, signatures[0] == 'E' ? EVP_PKEY_EC : EVP_PKEY_RSA);
    }
  }
}

TEST(TlsHandshake, RefusesNamesNobodyCoversWhenStrict) {
  for (const char* name : {"other.example", "127.0.0.1"}) {
    TlsEnds ends;
    ends.serve({"DNS:shop.com"});
    ends.server_options.strict_sni = true;
    ends.client_options.verify = false;
    ends.shake(name);
    ASSERT_FALSE(ends.client_done.has_value());
    EXPECT_EQ(ends.client_done.error().code, ErrorCode::kTlsHandshake);
    EXPECT_THAT(ends.client_done.error().context, testing::HasSubstr("unrecognized name"));
  }
}

TEST(TlsHandshake, RefusesAClientThatSpeaksNoneOfTheProtocols) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.server_alpn = {"h2"};
  ends.shake("shop.com");
  ASSERT_FALSE(ends.client_done.has_value());
  EXPECT_THAT(ends.client_done.error().context, testing::HasSubstr("no application protocol"));
  ASSERT_FALSE(ends.server_done.has_value());
  EXPECT_EQ(ends.server_done.error().side, Side::kClient);
}

TEST(TlsHandshake, SaysWhyACertificateIsNotBelieved) {
  struct Case {
    test::CertificateSpec spec;
    const char* name;
    const char* reason;  // "" : believed
  };
  const Case cases[] = {
      {{.names = {"DNS:shop.com"}}, "shop.com", ""},
      {{.names = {"DNS:*.shop.com"}}, "www.shop.com", ""},
      {{.names = {"IP:127.0.0.1"}}, "127.0.0.1", ""},
      {{.names = {"IP:::1"}}, "::1", ""},
      {{.names = {"DNS:shop.com"}}, "shop.com.", ""},
      {{.names = {"DNS:other.com"}}, "shop.com", "hostname mismatch"},
      {{.names = {"DNS:127.0.0.1"}}, "127.0.0.1", "IP address mismatch"},
      {{.names = {"DNS:*.shop.com"}}, "a.b.shop.com", "hostname mismatch"},
      {{.names = {}, .common_name = "shop.com"}, "shop.com", "hostname mismatch"},
      {{.names = {"DNS:shop.com"}, .valid_from = -7200, .valid_to = -3600}, "shop.com", "certificate has expired"},
      {{.names = {"DNS:shop.com"}, .valid_from = 3600}, "shop.com", "certificate is not yet valid"},
      {{.names = {"DNS:a.shop.com"}}, ".shop.com", "no name a certificate could prove"},
      {{.names = {"DNS:shop.com"}}, "", "no name a certificate could prove"},
      {{.names = {"DNS:shop.com"}}, "/run/app.sock", "no name a certificate could prove"},
  };
  for (const Case& each : cases) {
    TlsEnds ends;
    ends.add_key(each.spec);
    ends.shake(each.name);
    const bool believed = *each.reason == '\0';
    ASSERT_EQ(ends.client_done.has_value(), believed) << each.name;
    if (believed) continue;
    EXPECT_EQ(ends.client_done.error().code, ErrorCode::kTlsVerify) << each.name;
    EXPECT_THAT(ends.client_done.error().context, testing::HasSubstr(each.reason));
    EXPECT_EQ(ends.client_done.error().retry, Retry::kSafe);
  }
}

TEST(TlsHandshake, DoesNotBelieveAStrangersAuthority) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.client_options.ca_file = ends.files.write("other.pem", test::TestAuthority("other").pem());
  ends.shake("shop.com");
  ASSERT_FALSE(ends.client_done.has_value());
  EXPECT_EQ(ends.client_done.error().code, ErrorCode::kTlsVerify);
  EXPECT_THAT(ends.client_done.error().context, testing::HasSubstr("unable to get local issuer certificate"));
  // The server learns why, by an alert.
  ASSERT_FALSE(ends.server_done.has_value());
  EXPECT_THAT(ends.server_done.error().context, testing::HasSubstr("alert unknown ca"));
}

TEST(TlsHandshake, RefusesVersionsBelowTheMinimum) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.server_options.min_version = TlsVersion::kTls13;
  test::OpensslClient client;
  meet(ends, client, {.name = "shop.com", .version_max = TLS1_2_VERSION, .signatures = "", .ciphers = ""});
  EXPECT_FALSE(client.connected);
  EXPECT_THAT(client.error, testing::HasSubstr("alert protocol version"));
  ASSERT_FALSE(ends.server_done.has_value());
  EXPECT_EQ(ends.server_done.error().context, "unsupported protocol");
}

TEST(TlsHandshake, RefusesCiphersWithoutForwardSecrecy) {
  TlsEnds ends;
  ends.add_key({.names = {"DNS:shop.com"}, .key = KeyKind::kRsa});
  test::OpensslClient client;
  meet(ends, client,
       {.name = "shop.com", .version_max = TLS1_2_VERSION, .signatures = "", .ciphers = "AES128-GCM-SHA256"});
  EXPECT_FALSE(client.connected);
  ASSERT_FALSE(ends.server_done.has_value());
  EXPECT_EQ(ends.server_done.error().context, "no shared cipher");
}

TEST(TlsHandshake, ResumesByTicketOnAnotherWorker) {
  for (const bool tls12 : {true, false}) {
    TlsEnds ends;
    ends.serve({"DNS:shop.com"});
    if (tls12) ends.server_version_max = TLS1_2_VERSION;
    ends.shake("shop.com");
    ASSERT_TRUE(ends.client_done.has_value()) << describe(ends.client_done.error());
    EXPECT_EQ(ends.client->version(), tls12 ? "TLSv1.2" : "TLSv1.3");
    EXPECT_FALSE(ends.client->is_resumed());
    ends.close();
    ends.server_context.reset();
    ends.make_contexts();  // another worker's, with the same ticket keys
    ends.shake("shop.com");
    ASSERT_TRUE(ends.client_done.has_value());
    EXPECT_TRUE(ends.client->is_resumed());
    EXPECT_TRUE(ends.server->is_resumed());
  }
}

TEST(TlsHandshake, DoesNotResumeUnderOtherOptions) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.shake("shop.com");
  ASSERT_TRUE(ends.client_done.has_value());
  ends.close();
  ends.server_options.strict_sni = true;
  ends.server_context.reset();
  ends.make_contexts();
  ends.shake("shop.com");
  ASSERT_TRUE(ends.client_done.has_value());
  EXPECT_FALSE(ends.client->is_resumed());
}

TEST(TlsHandshake, GivesNoTicketsWhereTheyAreOff) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.server_options.session_tickets = false;
  ends.shake("shop.com");
  ends.close();
  ends.shake("shop.com");
  ASSERT_TRUE(ends.client_done.has_value());
  EXPECT_FALSE(ends.client->is_resumed());
}

Task<void> say(Stream& stream, std::string_view text) { (void)co_await stream.write(text); }

TEST(TlsHandshake, RecognizesPlainHttpAndGivesTheConnectionBackUntouched) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.make_contexts();
  auto [client, server_end] = ends.loop.connected();
  ends.server = TlsStream::accept(std::move(server_end), *ends.server_context);
  constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n";
  ends.loop.run(say(*client, kRequest), TlsEnds::shake_only(*ends.server, ends.server_done));
  ASSERT_FALSE(ends.server_done.has_value());
  EXPECT_EQ(ends.server_done.error().code, ErrorCode::kBadRequest);
  EXPECT_EQ(ends.server_done.error().side, Side::kClient);
  const StreamPtr plain = ends.server->release_inner();
  EXPECT_EQ(plain->input(), kRequest);
}

TEST(TlsHandshake, NamesGarbageAndEarlyEnds) {
  struct Case {
    std::string_view sent;
    ErrorCode code;
    const char* context;
  };
  const Case cases[] = {
      {"", ErrorCode::kClosed, "connection ended during the TLS handshake"},
      {"\x16\x03\x01", ErrorCode::kClosed, "connection ended during the TLS handshake"},
      {std::string_view("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b", 12), ErrorCode::kTlsHandshake,
       "wrong version number"},
      {"SSH-2.0-OpenSSH_9.2\r\n", ErrorCode::kBadRequest, "plain HTTP on a TLS port"},
  };
  for (const Case& each : cases) {
    TlsEnds ends;
    ends.serve({"DNS:shop.com"});
    ends.make_contexts();
    auto [client, server_end] = ends.loop.connected();
    ends.server = TlsStream::accept(std::move(server_end), *ends.server_context);
    ends.loop.run(say(*client, each.sent));
    client->shutdown_write();
    ends.loop.run(TlsEnds::shake_only(*ends.server, ends.server_done));
    ASSERT_FALSE(ends.server_done.has_value());
    EXPECT_EQ(ends.server_done.error().code, each.code) << describe(ends.server_done.error());
    EXPECT_EQ(ends.server_done.error().context, each.context);
  }
}

TEST(TlsHandshake, EndsWhenItTakesTooLong) {
  TlsEnds ends;
  ends.serve({"DNS:shop.com"});
  ends.make_contexts();
  auto [client, server_end] = ends.loop.connected();
  ends.server = TlsStream::accept(std::move(server_end), *ends.server_context);
  ends.loop.run(say(*client, "\x16\x03\x01"), TlsEnds::shake_only(*ends.server, ends.server_done, Duration{100}));
  ASSERT_FALSE(ends.server_done.has_value());
  EXPECT_EQ(ends.server_done.error().code, ErrorCode::kHandshakeTimeout);
}

TEST(TlsHandshake, MayBeCancelledAtAnyPoint) {
  // However many bytes of the client's flights pass before the server's task is destroyed.
  for (std::size_t passed = 0; passed < 700; passed += 23) {
    TlsEnds ends;
    ends.serve({"DNS:shop.com"});
    ends.connect("shop.com");
    ends.loop.spawn(TlsEnds::shake_only(*ends.client, ends.client_done));
    {
      TaskGroup doomed;
      doomed.spawn(TlsEnds::shake_only(*ends.server, ends.server_done));
      for (std::size_t i = 0; i < passed / 23; ++i) ends.loop.loop().poll();
    }
    ends.server.reset();
    ends.loop.run();
  }
}

}  // namespace
}  // namespace rproxy::net
