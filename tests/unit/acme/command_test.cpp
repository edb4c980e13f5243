// What the command line needs beside the proxy: words, hooks, advice.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme/advice.h"
#include "acme/copies.h"
#include "acme/deploy_hook.h"
#include "acme/options.h"
#include "acme/session.h"
#include "support/temporary_directory.h"
#include "support/test_certificates.h"

namespace rproxy::acme {
namespace {

TEST(DirectoryUrl, IsAWordOrAnHttpsUrl) {
  EXPECT_EQ(parse_directory_url("letsencrypt"), kLetsEncrypt);
  EXPECT_EQ(parse_directory_url("letsencrypt-staging"), kLetsEncryptStaging);
  EXPECT_EQ(parse_directory_url("https://acme.test:14000/dir"), "https://acme.test:14000/dir");
  for (const char* const text : {"", "lets-encrypt", "http://acme.test/dir", "https://", "acme.test"})
    EXPECT_FALSE(parse_directory_url(text)) << text;
}

TEST(ChallengeType, IsReadAsItIsWritten) {
  EXPECT_EQ(parse_challenge_type("dns-01"), ChallengeType::kDns01);
  EXPECT_FALSE(parse_challenge_type("DNS-01"));
}

TEST(Command, IsTakenApartAtBlanksButWithinQuotes) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_command("systemctl  reload nginx "), (Words{"systemctl", "reload", "nginx"}));
  EXPECT_EQ(split_command("sh -c 'echo \"$1\" $HOME' x"), (Words{"sh", "-c", "echo \"$1\" $HOME", "x"}));
  EXPECT_EQ(split_command("a \"b c\"d ''"), (Words{"a", "b cd", ""}));
  EXPECT_EQ(split_command("  "), Words{});
}

TEST(DeployHook, IsToldOfTheCertificate) {
  Deployed deployed;
  deployed.action = "renewed";
  deployed.names = {"shop.com", "www.shop.com"};
  deployed.cert_file = "/a.pem";
  deployed.key_file = "/a.key";
  deployed.not_after = WallTime{std::chrono::seconds{1'800'000'000}};
  deployed.directory = "https://acme.test/dir";
  const Hook hook = deploy_hook({"reload", "x"}, deployed);
  EXPECT_EQ(hook.arguments, (std::vector<std::string>{"reload", "x"}));
  EXPECT_EQ(hook.environment,
            (std::vector<std::string>{"RPROXY_ACME_ACTION=renewed", "RPROXY_ACME_DOMAIN=shop.com",
                                      "RPROXY_ACME_NAMES=shop.com www.shop.com", "RPROXY_ACME_CERT=/a.pem",
                                      "RPROXY_ACME_KEY=/a.key", "RPROXY_ACME_NOT_AFTER=2027-01-15T08:00:00Z",
                                      "RPROXY_ACME_DIRECTORY=https://acme.test/dir"}));
}

TEST(Advice, SaysWhenOrWhat) {
  const WallTime now{std::chrono::seconds{1'800'000'000}};
  Failure failure(Error(ErrorCode::kBadResponse, Side::kUpstream));
  EXPECT_EQ(advice_for(failure, now), "");
  failure.problem.emplace().type = "urn:ietf:params:acme:error:rateLimited";
  EXPECT_EQ(advice_for(failure, now), "try again in an hour or later");
  failure.retry_after = std::chrono::hours{1};
  EXPECT_EQ(advice_for(failure, now), "try again from 2027-01-15T09:00:00Z on");
  Failure unknown(Error(ErrorCode::kBadResponse, Side::kUpstream));
  unknown.problem.emplace().type = "urn:ietf:params:acme:error:new";
  EXPECT_EQ(advice_for(unknown, now), "");
  EXPECT_NE(advice_for(Failure(Error(ErrorCode::kCannotBind)), now).find("--via-serve"), std::string::npos);
}

TEST(Failure, SaysWhichNameItIsOf) {
  Failure failure(Error(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever, 0, "HTTP 403"),
                  Problem{"urn:ietf:params:acme:error:unauthorized", "wrong content", {}});
  EXPECT_EQ(failure.text(), "unauthorized: wrong content");
  failure.subject = "shop.com was not validated";
  EXPECT_EQ(failure.text(), "shop.com was not validated: unauthorized: wrong content");
}

TEST(Names, OfACertificateBeginWithTheOneItIsKeptAs) {
  const test::TestAuthority authority;
  const auto pair = authority.issue({.names = {"DNS:a.com", "DNS:b.com", "DNS:c.com", "IP:127.0.0.1"}});
  const auto leaf = x509::parse_certificates(pair.cert, "test", 1).value().front();
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_of(leaf), (Names{"a.com", "b.com", "c.com", "127.0.0.1"}));
  EXPECT_EQ(names_of(leaf, "c.com"), (Names{"c.com", "a.com", "b.com", "127.0.0.1"}));
  EXPECT_TRUE(is_for(leaf, {"127.0.0.1", "c.com", "b.com", "a.com"}));
  EXPECT_FALSE(is_for(leaf, {"a.com", "b.com"}));
}

TEST(Copies, ReplaceWhatIsOfTheSameNamesAndNothingElse) {
  test::TemporaryDirectory home;
  const test::TestAuthority authority;
  const auto made = [&authority](const std::string& name) {
    const auto pair = authority.issue({.names = {"DNS:" + name}});
    return x509::CertifiedKey::parse(pair.cert, pair.key, "cert", "key").value();
  };
  const auto first = made("shop.com");
  const auto second = made("shop.com");
  const auto other = made("other.com");
  const CopyFiles files{home.path("a.pem"), home.path("a.key")};
  EXPECT_EQ(in_the_way(files, {"shop.com"}, nullptr), "");
  EXPECT_FALSE(has(files, first));
  ASSERT_TRUE(write(files, first));
  EXPECT_TRUE(has(files, first));
  EXPECT_FALSE(has(files, second));
  struct stat status {};
  ASSERT_EQ(::stat(files.key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  // An earlier one for the same names, whoever has kept it.
  EXPECT_EQ(in_the_way(files, {"shop.com"}, nullptr), "");
  EXPECT_EQ(in_the_way(files, {"shop.com"}, &second), "");
  EXPECT_EQ(in_the_way(files, {"other.com"}, nullptr), files.key);
  // For other names, but of the one that is kept.
  EXPECT_EQ(in_the_way(files, {"shop.com", "www.shop.com"}, &first), "");
  // A key that is of something else.
  ASSERT_TRUE(write({home.path("b.pem"), files.key}, other));
  EXPECT_EQ(in_the_way(files, {"shop.com"}, &first), files.key);
  ASSERT_EQ(::unlink(files.key.c_str()), 0);
  EXPECT_EQ(in_the_way(files, {"shop.com"}, &second), "");
  EXPECT_EQ(in_the_way(files, {"other.com"}, &second), files.cert);
}

}  // namespace
}  // namespace rproxy::acme
