// Keys, made and read again, and the files they are in.
#include "x509/private_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>

#include "support/temporary_directory.h"
#include "x509/certified_key.h"
#include "x509/new_file.h"

namespace rproxy::x509 {
namespace {

PasswordSource password(std::string_view text) {
  return [text] { return std::optional(Secret(text)); };
}

TEST(PrivateKey, IsMadeOfEachTypeAndReadAgain) {
  struct Case {
    std::string_view name;
    std::string_view described;
  };
  for (const Case& each : {Case{"p256", "ECDSA P-256"}, Case{"p384", "ECDSA P-384"}, Case{"rsa2048", "RSA 2048"},
                           Case{"ed25519", "Ed25519"}}) {
    const auto type = parse_key_type(each.name);
    ASSERT_TRUE(type) << each.name;
    EXPECT_EQ(to_string(*type), each.name);
    const auto key = generate_key(*type);
    ASSERT_TRUE(key);
    EXPECT_EQ(describe_key(key->get()), each.described);
    for (const auto& written : {private_key_pem(key->get()), private_key_der(key->get())}) {
      ASSERT_TRUE(written);
      const auto again = parse_private_key(written->view(), "a.key");
      ASSERT_TRUE(again) << again.error().context;
      EXPECT_TRUE(is_same_key(key->get(), again->get()));
    }
  }
  EXPECT_FALSE(parse_key_type("rsa1024"));
}

TEST(PrivateKey, IsEncryptedByAPassword) {
  const auto key = generate_key(KeyType::kEcP256);
  for (const auto& sealed : {private_key_pem(key->get(), "sesame"), private_key_der(key->get(), "sesame")}) {
    ASSERT_TRUE(sealed);
    const auto opened = parse_private_key(sealed->view(), "a.key", password("sesame"));
    ASSERT_TRUE(opened) << opened.error().context;
    EXPECT_TRUE(is_same_key(key->get(), opened->get()));
    EXPECT_EQ(parse_private_key(sealed->view(), "a.key", password("simsim")).error().context,
              "a.key: that is not the password of the private key");
    EXPECT_EQ(parse_private_key(sealed->view(), "a.key").error().context,
              "a.key: the private key is encrypted, and there is no password");
  }
}

TEST(PrivateKey, IsNotMadeOfAnything) {
  EXPECT_EQ(parse_private_key("hello", "a.key").error().context, "a.key: no private key in PEM or DER");
  EXPECT_EQ(parse_private_key("", "a.key").error().context, "a.key: no private key in PEM or DER");
}

TEST(NewFile, OfAKeyIsItsOwnersAlone) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path("a.key");
  const mode_t usual = ::umask(0);
  ASSERT_TRUE(write_new_file(path, "one", Access::kPrivate, IfThere::kRefuse));
  ASSERT_TRUE(write_new_file(directory.path("a.pem"), "one", Access::kPublic, IfThere::kRefuse));
  ::umask(usual);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  ASSERT_EQ(::stat(directory.path("a.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
}

TEST(NewFile, TakesTheOldOnesPlaceOnlyIfItMay) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.write("a.key", "old");
  const auto refused = write_new_file(path, "new", Access::kPrivate, IfThere::kRefuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().os_error, EEXIST);
  EXPECT_EQ(*read_file(path, 100), "old");
  ASSERT_TRUE(write_new_file(path, "new", Access::kPrivate, IfThere::kReplace));
  EXPECT_EQ(*read_file(path, 100), "new");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U) << "whatever the old one had";
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path("")), {}), 1);
}

TEST(NewFile, ReplacesALinkAndNotWhatItLeadsTo) {
  const test::TemporaryDirectory directory;
  const std::string target = directory.write("target", "old");
  const std::string link = directory.path("link");
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  EXPECT_FALSE(write_new_file(link, "new", Access::kPrivate, IfThere::kRefuse));
  ASSERT_TRUE(write_new_file(link, "new", Access::kPrivate, IfThere::kReplace));
  EXPECT_EQ(*read_file(target, 100), "old");
  EXPECT_FALSE(std::filesystem::is_symlink(link));
}

TEST(NewFile, SaysWhyItCanNotBe) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(write_new_file(directory.path("no/a.key"), "x", Access::kPrivate, IfThere::kRefuse).error().os_error,
            ENOENT);
  EXPECT_EQ(write_new_file(directory.path(""), "x", Access::kPrivate, IfThere::kReplace).error().os_error, EISDIR);
}

}  // namespace
}  // namespace rproxy::x509
