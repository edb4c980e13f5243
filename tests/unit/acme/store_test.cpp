#include "acme/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_directory.h"
#include "support/test_certificates.h"
#include "x509/private_key.h"

namespace rproxy::acme {
namespace {

constexpr std::string_view kServer = "https://acme.test:14000/dir";

TEST(Store, KeepsAnAccount) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("deep/acme"), kServer).value();
  EXPECT_FALSE(store.account().value());
  const auto key = x509::generate_key(x509::KeyType::kEcP256).value();
  ASSERT_TRUE(store.keep_account(key.get(), "https://acme.test/acct/1"));
  const auto other = Store::open(home.path("deep/acme"), kServer).value();
  const auto account = other.account().value();
  ASSERT_TRUE(account);
  EXPECT_EQ(account->url, "https://acme.test/acct/1");
  EXPECT_TRUE(x509::is_same_key(account->key.get(), key.get()));
  EXPECT_FALSE(Store::open(home.path("deep/acme"), "https://other.test/dir").value().account().value());
}

TEST(Store, KeepsWhatTheServerWasLastToldOfAnAccount) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("acme"), kServer).value();
  const auto key = x509::generate_key(x509::KeyType::kEcP256).value();
  ASSERT_TRUE(store.keep_account(key.get(), "https://acme.test/acct/1"));
  EXPECT_FALSE(store.account().value()->contacts);
  const std::vector<std::string> contacts{"mailto:ops@shop.com"};
  ASSERT_TRUE(store.keep_account(key.get(), "https://acme.test/acct/1", contacts));
  EXPECT_EQ(store.account().value()->contacts, contacts);
  ASSERT_TRUE(store.remove_account());
  EXPECT_FALSE(store.account().value());
}

TEST(Store, KeepsTheNextKeyOfAnAccountBesideIt) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("acme"), kServer).value();
  EXPECT_EQ(store.next_account_key().value(), nullptr);
  const auto key = x509::generate_key(x509::KeyType::kEcP256).value();
  ASSERT_TRUE(store.keep_next_account_key(key.get()));
  EXPECT_TRUE(x509::is_same_key(store.next_account_key().value().get(), key.get()));
  EXPECT_FALSE(store.account().value());
  store.remove_next_account_key();
  EXPECT_EQ(store.next_account_key().value(), nullptr);
}

TEST(Store, KnowsItsServersWithoutMakingAnything) {
  test::TemporaryDirectory home;
  EXPECT_TRUE(Store::servers(home.path("acme")).empty());
  EXPECT_FALSE(Store::has(home.path("acme"), kServer));
  EXPECT_TRUE(Store::check_writable(home.path("acme/below")));
  EXPECT_NE(::access(home.path("acme").c_str(), F_OK), 0);
  (void)Store::open(home.path("acme"), kServer).value();
  EXPECT_EQ(Store::servers(home.path("acme")), std::vector<std::string>{"acme.test_14000_dir"});
  EXPECT_TRUE(Store::has(home.path("acme"), kServer));
  // As it is listed, it can be opened.
  EXPECT_TRUE(Store::has(home.path("acme"), "acme.test_14000_dir"));
}

TEST(Store, KeepsACertificateWithItsKeyForItsOwnerAlone) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("acme"), kServer).value();
  EXPECT_EQ(store.certificate("*.shop.com").value(), nullptr);
  const test::TestAuthority authority;
  const auto pair = authority.issue({.names = {"DNS:shop.com"}});
  const auto key = x509::parse_private_key(pair.key, "key").value();
  ASSERT_TRUE(store.keep_certificate("*.shop.com", key.get(), pair.cert));
  const auto kept = store.certificate("*.shop.com").value();
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->leaf().dns_names(), std::vector<std::string>{"shop.com"});
  EXPECT_EQ(store.names(), std::vector<std::string>{"*.shop.com"});
  struct stat status {};
  ASSERT_EQ(::stat(store.certificate_file("*.shop.com").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_TRUE(store.remove_certificate("*.shop.com"));
  EXPECT_TRUE(store.names().empty());
}

TEST(Store, WhatIsBrokenIsAnErrorOfThatFile) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("acme"), kServer).value();
  std::ofstream(store.certificate_file("shop.com")) << "no certificate";
  const auto broken = store.certificate("shop.com");
  ASSERT_FALSE(broken);
  EXPECT_NE(describe(broken.error()).find("shop.com.pem"), std::string::npos);
}

TEST(Store, KeepsWhatIsKnownOfRenewals) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("acme"), kServer).value();
  EXPECT_EQ(store.progress("shop.com").failures, 0U);
  Progress progress;
  progress.failures = 3;
  progress.last_error = "rateLimited: \xff too many";
  progress.retry_at = WallTime{std::chrono::seconds{1'800'000'000}};
  ASSERT_TRUE(store.keep_progress("shop.com", progress));
  const Progress kept = store.progress("shop.com");
  EXPECT_EQ(kept.failures, 3U);
  EXPECT_EQ(kept.retry_at, progress.retry_at);
  EXPECT_FALSE(kept.renew_at);
}

TEST(Store, OneAtATimeHasTheLock) {
  test::TemporaryDirectory home;
  const auto store = Store::open(home.path("acme"), kServer).value();
  auto first = store.lock("shop.com");
  ASSERT_TRUE(first);
  EXPECT_TRUE(*first);
  EXPECT_FALSE(store.lock("shop.com").value());
  EXPECT_TRUE(store.lock("other.com").value());
  first->reset();
  EXPECT_TRUE(store.lock("shop.com").value());
}

TEST(ChallengeFiles, AreThereUntilTheyAreRemoved) {
  test::TemporaryDirectory home;
  ASSERT_TRUE(Store::open(home.path(""), kServer));
  const ChallengeFiles files(home.path(""));
  EXPECT_EQ(files.find("token"), "");
  ASSERT_TRUE(files.put("token", "token.thumbprint"));
  EXPECT_EQ(files.find("token"), "token.thumbprint");
  files.remove("token");
  EXPECT_EQ(files.find("token"), "");
}

}  // namespace
}  // namespace rproxy::acme
