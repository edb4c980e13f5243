// Clients that show a certificate of their own: who is let in, and for how long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/tls_fixture.h"

namespace rproxy::net {
namespace {

using testing::HasSubstr;

struct Fixture : test::TlsEnds {
  explicit Fixture(ClientAuth::Mode mode = ClientAuth::Mode::kRequired) {
    serve({"DNS:shop.com"});
    server_options.client_auth.emplace().mode = mode;
    client_options.own = {files.path("client.pem"), files.path("client.key")};
    shown = own_as({.names = {"DNS:cart.shop.com"}, .common_name = "cart"});
  }

  // What the client shows from its next context on; returns the certificate.
  std::string own_as(const test::CertificateSpec& spec, const test::TestAuthority* by = nullptr) {
    const test::PemPair pair = (by != nullptr ? *by : clients).issue(spec);
    files.write("client.pem", pair.cert);
    files.write("client.key", pair.key);
    client_context.reset();
    return pair.cert;
  }
  void allow(const char* rule) { server_options.client_auth->allow.push_back(*x509::NameRule::parse(rule)); }

  std::shared_ptr<const x509::TrustStore> trusting(const std::string& lists = "") {
    const std::string file = lists.empty() ? "" : files.write("lists.pem", lists);
    auto store = x509::TrustStore::from_files(files.write("clients.pem", clients.pem()), file);
    EXPECT_TRUE(store.has_value()) << describe(store.error());
    return std::make_shared<const x509::TrustStore>(std::move(*store));
  }
  void meet(const std::string& lists = "") {
    if (!server_context || !client_context) {
      make_contexts();
      presence->trust(trusting(lists));
    }
    shake("shop.com");
  }
  std::string whom() const {
    const auto certificate = server->peer_certificate();
    return certificate ? certificate->label() : "nobody";
  }

  test::TestAuthority clients{"clients' authority"};
  std::string shown;
};

TEST(ClientAuth, LetsInWhomTheAuthorityVouchesFor) {
  Fixture f;
  f.meet();
  ASSERT_TRUE(f.server_done.has_value()) << describe(f.server_done.error());
  EXPECT_EQ(f.whom(), "cart.shop.com");
}

TEST(ClientAuth, RefusesWhoHasNone) {
  Fixture f;
  f.client_options.own = {};
  f.meet();
  ASSERT_FALSE(f.server_done.has_value());
  EXPECT_EQ(f.server_done.error().side, Side::kClient);
  EXPECT_THAT(f.server_done.error().context, HasSubstr("peer did not return a certificate"));
}

TEST(ClientAuth, LetsInWhoHasNoneWhereItIsOptional) {
  Fixture f(ClientAuth::Mode::kOptional);
  f.client_options.own = {};
  f.meet();
  ASSERT_TRUE(f.server_done.has_value()) << describe(f.server_done.error());
  EXPECT_EQ(f.whom(), "nobody");
}

TEST(ClientAuth, SaysWhySomebodyIsRefused) {
  struct Case {
    test::CertificateSpec spec;
    const char* rule;  // "": none
    bool by_another;
    const char* reason;
  };
  const test::TestAuthority another("another");
  const Case cases[] = {
      {{.names = {"DNS:cart.shop.com"}, .valid_from = -7200, .valid_to = -3600}, "", false, "certificate has expired"},
      {{.names = {"DNS:cart.shop.com"}}, "", true, "unable to get local issuer certificate"},
      {{.names = {"DNS:cart.other.com"}}, "dns:*.shop.com", false, "no rule allows it"},
      {{.names = {"DNS:cart.shop.com"}}, "dns:*.shop.com", false, ""},
  };
  for (const ClientAuth::Mode mode : {ClientAuth::Mode::kRequired, ClientAuth::Mode::kOptional}) {
    for (const Case& each : cases) {
      Fixture f(mode);
      f.own_as(each.spec, each.by_another ? &another : nullptr);
      if (*each.rule != '\0') f.allow(each.rule);
      f.meet();
      ASSERT_EQ(f.server_done.has_value(), *each.reason == '\0') << each.reason;
      if (f.server_done) continue;
      EXPECT_EQ(f.server_done.error().code, ErrorCode::kTlsVerify);
      EXPECT_THAT(f.server_done.error().context, HasSubstr(each.reason));
    }
  }
}

TEST(ClientAuth, RefusesWhomAListRevokes) {
  Fixture f;
  f.meet(f.clients.revoke({f.shown}));
  ASSERT_FALSE(f.server_done.has_value());
  EXPECT_THAT(f.server_done.error().context, HasSubstr("revoked"));
  Fixture others;
  others.meet(others.clients.revoke({f.clients.issue({}).cert}));
  EXPECT_TRUE(others.server_done.has_value());
}

// Nobody can tell who has been revoked since.
TEST(ClientAuth, RefusesAllWhereTheListHasRunOut) {
  Fixture f;
  f.meet(f.clients.revoke({}, -3600));
  ASSERT_FALSE(f.server_done.has_value());
  EXPECT_THAT(f.server_done.error().context, HasSubstr("CRL has expired"));
}

TEST(ClientAuth, SessionsRememberWhoseTheyAre) {
  Fixture f;
  f.meet();
  f.close();
  f.meet();
  ASSERT_TRUE(f.server_done.has_value());
  EXPECT_TRUE(f.server->is_resumed());
  EXPECT_EQ(f.whom(), "cart.shop.com");
}

TEST(ClientAuth, NoSessionOutlivesARevocation) {
  Fixture f;
  f.meet();
  f.close();
  f.presence->trust(f.trusting(f.clients.revoke({f.shown})));
  f.meet();
  ASSERT_FALSE(f.server_done.has_value());
  EXPECT_THAT(f.server_done.error().context, HasSubstr("revoked"));
}

TEST(ClientAuth, NoSessionOutlivesItsCertificate) {
  Fixture f;
  f.own_as({.names = {"DNS:cart.shop.com"}, .valid_to = 1});
  f.meet();
  ASSERT_TRUE(f.server_done.has_value()) << describe(f.server_done.error());
  const auto end = f.server->peer_certificate()->not_after();
  f.close();
  std::this_thread::sleep_until(end + std::chrono::seconds{1});  // it is good for all of its last second
  f.meet();
  EXPECT_FALSE(f.server_done.has_value());
}

// A session begun where no certificate was asked for is no way in where one is.
TEST(ClientAuth, SessionsOfOthersAreNoWayIn) {
  Fixture f(ClientAuth::Mode::kOptional);
  f.client_options.own = {};
  f.meet();
  f.close();
  f.server_options.client_auth->mode = ClientAuth::Mode::kRequired;
  f.server_context.reset();
  f.make_contexts();
  f.presence->trust(f.trusting());
  f.meet();
  EXPECT_FALSE(f.server_done.has_value());
}

TEST(ClientAuth, AnotherCertificateIsShownFromTheNextConnectionOn) {
  Fixture f;
  f.make_contexts();
  f.presence->trust(f.trusting());
  const auto pair_of = [&](const char* name) {
    const auto pair = f.clients.issue({.names = {name}});
    return TlsIdentities::Keys{
        std::make_shared<const x509::CertifiedKey>(*x509::CertifiedKey::parse(pair.cert, pair.key, "cert", "key"))};
  };
  const auto own = TlsPresence::of(pair_of("DNS:first.shop.com")).value();
  f.client_context = *TlsClientContext::create(f.client_options, TlsClientMaterial(nullptr, own));
  f.meet();
  EXPECT_EQ(f.whom(), "first.shop.com");
  f.close();
  own->show(TlsIdentities::create(pair_of("DNS:second.shop.com")).value());
  f.meet();
  ASSERT_TRUE(f.server_done.has_value()) << describe(f.server_done.error());
  EXPECT_EQ(f.whom(), "second.shop.com");
  EXPECT_FALSE(f.server->is_resumed());
}

}  // namespace
}  // namespace rproxy::net
