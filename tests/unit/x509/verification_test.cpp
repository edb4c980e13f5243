// Chains that are broken, each with what must be said of it, and nothing else.
#include "x509/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/made_certificates.h"
#include "support/temporary_directory.h"

namespace rproxy::x509 {
namespace {

using test::authority;
using test::changed;
using test::kDay;
using test::kNow;
using test::leaf;
using test::Made;
using test::made;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TrustStore trusting(std::initializer_list<Certificate> roots) {
  const test::TemporaryDirectory directory;
  std::string pem;
  for (const Certificate& each : roots) pem += to_pem(each);
  return *TrustStore::from_file(directory.write("ca.pem", pem));
}

Profile between_profile() {
  Profile profile = authority("between");
  profile.authority->path_length = 0;
  profile.not_after = kNow + 1000 * kDay;
  return profile;
}

class Verification : public testing::Test {
 protected:
  const Made root_ = made(authority("root"));
  const Made between_ = made(between_profile(), KeyType::kEcP256, &root_);
  const Made one_ = made(leaf({"shop.com", "*.shop.com", "10.0.0.1"}), KeyType::kEcP256, &between_);
  const TrustStore trusted_ = trusting({root_.certificate});
  ChainQuestion question_{{one_.certificate, between_.certificate}, &trusted_, {}, nullptr, {}, kNow};

  std::vector<std::string> words() const {
    std::vector<std::string> words;
    for (const Finding& each : verify_chain(question_).findings) words.push_back(each.word);
    return words;
  }
  Certificate issued(const Profile& profile, const Made& by, const std::function<void(X509*)>& change,
                     const EVP_MD* digest = EVP_sha256()) const {
    return changed(made(profile, KeyType::kEcP256, &by).certificate, by.key.get(), change, digest);
  }
};

TEST_F(Verification, OfAGoodChainHasNothingToSay) {
  question_.names = {"shop.com", "www.shop.com", "10.0.0.1"};
  question_.key = one_.key.get();
  const ChainVerdict verdict = verify_chain(question_);
  EXPECT_THAT(words(), IsEmpty());
  EXPECT_TRUE(verdict.is_fine());
  EXPECT_TRUE(verdict.is_trusted);
  EXPECT_EQ(verdict.path.size(), 3U);
  EXPECT_EQ(verdict.presented_in_path, 2U);
}

TEST_F(Verification, NamesTheIssuerThatIsMissing) {
  question_.presented = {one_.certificate};
  const ChainVerdict verdict = verify_chain(question_);
  ASSERT_THAT(words(), ElementsAre("missing-issuer"));
  EXPECT_THAT(verdict.findings.front().text, HasSubstr("\"CN=between\""));
}

TEST_F(Verification, KnowsTheOrderAndWhatIsNotPartOfIt) {
  question_.presented = {between_.certificate, one_.certificate};
  EXPECT_THAT(words(), ElementsAre("wrong-order"));
  question_.presented = {one_.certificate, root_.certificate, between_.certificate};
  EXPECT_THAT(words(), ElementsAre("wrong-order", "root-included"));
  question_.presented = {one_.certificate, between_.certificate, root_.certificate};
  EXPECT_THAT(words(), ElementsAre("root-included"));
  question_.presented = {one_.certificate, between_.certificate, between_.certificate};
  EXPECT_THAT(words(), ElementsAre("duplicate"));
  question_.presented = {one_.certificate, between_.certificate, made(authority("other")).certificate};
  EXPECT_THAT(words(), ElementsAre("unrelated"));
}

TEST_F(Verification, KnowsWhomItEndsAt) {
  const TrustStore others = trusting({made(authority("others")).certificate});
  question_.trusted = &others;
  EXPECT_THAT(words(), ElementsAre("missing-issuer"));
  question_.presented.push_back(root_.certificate);
  EXPECT_THAT(words(), ElementsAre("untrusted-root", "root-included"));
  question_.presented = {made(leaf({"shop.com"})).certificate};
  EXPECT_THAT(words(), ElementsAre("self-signed"));
  question_.trusted = nullptr;
  EXPECT_THAT(words(), IsEmpty());
}

TEST_F(Verification, TrustsAnIntermediateThatTheOperatorHasPutThere) {
  const TrustStore narrow = trusting({between_.certificate});
  question_.trusted = &narrow;
  EXPECT_TRUE(verify_chain(question_).is_trusted);
  EXPECT_THAT(words(), IsEmpty());
  const TrustStore leaf_alone = trusting({one_.certificate});
  question_.trusted = &leaf_alone;
  EXPECT_TRUE(verify_chain(question_).is_trusted);
}

TEST_F(Verification, KnowsTheDatesOfAllOfThem) {
  question_.now = kNow - 2 * kDay;
  EXPECT_THAT(words(), ElementsAre("not-yet-valid"));
  question_.now = kNow + 91 * kDay;
  EXPECT_THAT(words(), ElementsAre("expired"));
  EXPECT_THAT(verify_chain(question_).findings.front().text, HasSubstr("24 hours ago"));
  question_.now = kNow + 4000 * kDay;
  EXPECT_THAT(words(), ElementsAre("expired", "expired", "expired"));
}

TEST_F(Verification, KnowsNames) {
  question_.names = {"other.com", "a.b.shop.com", "10.0.0.2"};
  EXPECT_THAT(words(), ElementsAre("name-mismatch", "name-mismatch", "name-mismatch"));
  question_.presented.front() =
      issued(leaf({"shop.com"}), between_, [](X509* c) { test::remove_extension(c, NID_subject_alt_name); });
  question_.names = {"shop.com"};
  EXPECT_THAT(words(), ElementsAre("no-names"));
}

TEST_F(Verification, KnowsKeys) {
  question_.key = between_.key.get();
  EXPECT_THAT(words(), ElementsAre("key-mismatch"));
  EXPECT_THAT(verify_chain(question_).findings.front().text, HasSubstr("CN=between"));
  question_.key = root_.key.get();
  EXPECT_THAT(words(), ElementsAre("key-mismatch"));
}

TEST_F(Verification, KnowsAnAuthorityFromOneThatIsNone) {
  // A server's key that signs for others: the oldest trick there is.
  const Made server = made(leaf({"evil.com"}), KeyType::kEcP256, &between_);
  Profile profile = leaf({"shop.com"});
  const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
  const Certificate forged = changed(self_signed(profile, key.get()).value(), server.key.get(), [&](X509* c) {
    X509_set_issuer_name(c, X509_get_subject_name(server.certificate.native()));
    test::remove_extension(c, NID_authority_key_identifier);
  });
  question_.presented = {forged, server.certificate, between_.certificate};
  const auto found = words();
  EXPECT_THAT(found, testing::Contains("not-an-authority"));
  EXPECT_FALSE(verify_chain(question_).is_fine());
}

TEST_F(Verification, KnowsAnAuthorityThatMayNotSign) {
  X509_EXTENSION* usage = X509V3_EXT_conf_nid(nullptr, nullptr, NID_key_usage, "critical,cRLSign");
  const Certificate silent = changed(between_.certificate, root_.key.get(), [&](X509* c) {
    test::remove_extension(c, NID_key_usage);
    X509_add_ext(c, usage, -1);
  });
  X509_EXTENSION_free(usage);
  question_.presented = {one_.certificate, silent};
  EXPECT_THAT(words(), testing::Contains("not-an-authority"));
}

TEST_F(Verification, KnowsAPathThatIsTooLong) {
  // Issued all the same, as if its path length had been another.
  Profile free = between_profile();
  free.authority->path_length.reset();
  const Made wide{nullptr, made(free, KeyType::kEcP256, &root_).certificate};
  Profile below = between_profile();
  below.common_name = "below";
  const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
  const Certificate lower = changed(self_signed(below, key.get()).value(), between_.key.get(), [&](X509* c) {
    X509_set_issuer_name(c, X509_get_subject_name(between_.certificate.native()));
    test::remove_extension(c, NID_authority_key_identifier);
  });
  Profile end = leaf({"shop.com"});
  const Certificate last = issue(end, one_.key.get(), {lower, key.get()}).value();
  question_.presented = {last, lower, between_.certificate};
  EXPECT_THAT(words(), testing::Contains("path-too-long"));
}

TEST_F(Verification, KnowsAnIssuerByItsSignatureToo) {
  // The same name, and another key: an authority that was made anew.
  const Made again = made(between_profile(), KeyType::kEcP256, &root_);
  question_.presented = {one_.certificate, again.certificate};
  EXPECT_THAT(words(), testing::Contains("bad-signature"));
  question_.presented = {one_.certificate, again.certificate, between_.certificate};
  EXPECT_THAT(words(), ElementsAre("unrelated"));
}

TEST_F(Verification, KnowsNameConstraints) {
  Profile narrow = between_profile();
  narrow.authority->permitted.dns = {"shop.com"};
  const Made by = made(narrow, KeyType::kEcP256, &root_);
  const KeyPtr key = std::move(*generate_key(KeyType::kEcP256));
  const Certificate other = changed(self_signed(leaf({"other.com"}), key.get()).value(), by.key.get(), [&](X509* c) {
    X509_set_issuer_name(c, X509_get_subject_name(by.certificate.native()));
    test::remove_extension(c, NID_authority_key_identifier);
  });
  question_.presented = {other, by.certificate};
  EXPECT_THAT(words(), testing::Contains("name-constraints"));
}

TEST_F(Verification, KnowsPurposes) {
  Profile client = leaf({"shop.com"});
  client.purposes = {false, true};
  question_.presented.front() = made(client, KeyType::kEcP256, &between_).certificate;
  EXPECT_THAT(words(), ElementsAre("wrong-purpose"));
  question_.purpose = ChainQuestion::Purpose::kClient;
  EXPECT_THAT(words(), IsEmpty());
}

TEST_F(Verification, KnowsWhatIsWeak) {
  question_.presented.front() = issued(
      leaf({"shop.com"}), between_, [](X509*) {}, EVP_sha1());
  EXPECT_THAT(words(), ElementsAre("weak-signature"));
  const KeyPtr small(EVP_RSA_gen(1024));
  question_.presented.front() = issued(leaf({"shop.com"}), between_, [&](X509* c) { X509_set_pubkey(c, small.get()); });
  EXPECT_THAT(words(), testing::Contains("weak-key"));
}

TEST_F(Verification, KnowsWhatClientsCanNotKnow) {
  Profile strange = leaf({"shop.com"});
  strange.extensions.push_back({"1.2.3.4", true, std::string("\x05\x00", 2)});
  question_.presented.front() = made(strange, KeyType::kEcP256, &between_).certificate;
  EXPECT_THAT(words(), ElementsAre("unknown-critical"));
}

TEST_F(Verification, WarnsOfWhatStrictClientsRefuse) {
  question_.presented.front() =
      issued(leaf({"shop.com"}), between_, [](X509* c) { test::remove_extension(c, NID_authority_key_identifier); });
  EXPECT_THAT(words(), ElementsAre("not-strict"));
  EXPECT_TRUE(verify_chain(question_).is_fine());
  Profile old = leaf({"shop.com"});
  old.not_after = kNow + 900 * kDay;
  question_.presented.front() = made(old, KeyType::kEcP256, &between_).certificate;
  EXPECT_THAT(words(), ElementsAre("long-lived"));
}

TEST_F(Verification, SaysTheWorstFirst) {
  question_.presented = {one_.certificate, between_.certificate, root_.certificate, root_.certificate};
  question_.names = {"other.com"};
  EXPECT_THAT(words(), ElementsAre("name-mismatch", "duplicate", "root-included"));
}

TEST_F(Verification, EndsWhereCertificatesIssueEachOther) {
  Profile first = authority("first");
  Profile second = authority("second");
  const Made one = made(first);
  const Made two = made(second);
  const auto crossed = [](const Made& subject, const Made& issuer) {
    return changed(subject.certificate, issuer.key.get(), [&](X509* c) {
      X509_set_issuer_name(c, X509_get_subject_name(issuer.certificate.native()));
      test::remove_extension(c, NID_authority_key_identifier);
    });
  };
  question_.presented = {crossed(one, two), crossed(two, one)};
  EXPECT_THAT(words(), testing::Contains("missing-issuer"));
}

}  // namespace
}  // namespace rproxy::x509
