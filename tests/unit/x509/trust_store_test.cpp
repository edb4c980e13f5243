// Whose certificates are known.
#include "x509/trust_store.h"

#include <gtest/gtest.h>

#include "support/temporary_directory.h"
#include "support/test_certificates.h"
#include "x509/certified_key.h"

namespace rproxy::x509 {
namespace {

Certificate parse(const std::string& pem) { return parse_certificates(pem, "test.pem", 1)->front(); }

TEST(TrustStore, KnowsTheIssuersThatAreInIt) {
  const test::TestAuthority ours("ours");
  const test::TestAuthority others("others");
  const test::TemporaryDirectory directory;
  const auto store = TrustStore::from_file(directory.write("ours.pem", ours.pem()));
  ASSERT_TRUE(store.has_value());
  EXPECT_TRUE(store->has_issuer_of(parse(ours.issue({.names = {"DNS:shop.com"}}).cert)));
  EXPECT_FALSE(store->has_issuer_of(parse(others.issue({.names = {"DNS:shop.com"}}).cert)));
}

TEST(Certificate, FollowsTheOnesThatItMayHaveIssued) {
  const test::TestAuthority ours("ours");
  const test::TestAuthority others("others");
  const Certificate leaf = parse(ours.issue({.names = {"DNS:shop.com"}}).cert);
  EXPECT_TRUE(parse(ours.pem()).may_have_issued(leaf));
  EXPECT_TRUE(parse(ours.pem()).may_have_issued(parse(ours.pem())));
  EXPECT_FALSE(parse(others.pem()).may_have_issued(leaf));
  EXPECT_FALSE(leaf.may_have_issued(leaf));
}

}  // namespace
}  // namespace rproxy::x509
