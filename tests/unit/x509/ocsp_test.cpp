// Answers as servers staple them.
#include "x509/ocsp.h"

#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include <string>

#include "support/made_certificates.h"

namespace rproxy::x509 {
namespace {

using test::kDay;
using test::kNow;

const test::Made& root() {
  static const test::Made kRoot = test::made(test::authority("root"));
  return kRoot;
}
const test::Made& one() {
  static const test::Made kOne = test::made(test::leaf({"shop.com"}), KeyType::kEcP256, &root());
  return kOne;
}

// Of the root, about `one`, good from kNow for a week.
std::string answer(int status, const test::Made& signer = root()) {
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  OCSP_CERTID* id = OCSP_cert_to_id(nullptr, one().certificate.native(), root().certificate.native());
  ASN1_TIME* updated = ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(kNow));
  ASN1_TIME* next = ASN1_TIME_set(nullptr, std::chrono::system_clock::to_time_t(kNow + 7 * kDay));
  OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, updated, updated, next);
  OCSP_basic_sign(basic, signer.certificate.native(), signer.key.get(), EVP_sha256(), nullptr, 0);
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  ASN1_TIME_free(updated);
  ASN1_TIME_free(next);
  return text;
}

TEST(Ocsp, SaysWhatTheAuthoritySays) {
  const auto good = parse_ocsp(answer(V_OCSP_CERTSTATUS_GOOD));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->status, "good");
  EXPECT_EQ(good->updated, kNow);
  EXPECT_EQ(good->next, kNow + 7 * kDay);
  EXPECT_EQ(parse_ocsp(answer(V_OCSP_CERTSTATUS_REVOKED))->status, "revoked");
}

TEST(Ocsp, ThatFailedSaysHow) {
  // RFC 6960 4.2.1: tryLater, without more.
  EXPECT_EQ(parse_ocsp(std::string("\x30\x03\x0a\x01\x03", 5))->status, "trylater");
  EXPECT_FALSE(parse_ocsp(""));
  EXPECT_FALSE(parse_ocsp("hello"));
  const std::string whole = answer(V_OCSP_CERTSTATUS_GOOD);
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_ocsp(whole.substr(0, size))) << size;
}

TEST(Ocsp, IsBelievedFromTheIssuerAboutTheCertificateWhileItLasts) {
  const std::string good = answer(V_OCSP_CERTSTATUS_GOOD);
  const auto verified = verify_ocsp(good, one().certificate, root().certificate, kNow + kDay);
  ASSERT_TRUE(verified.has_value()) << describe(verified.error());
  EXPECT_EQ(verified->status, "good");
  EXPECT_EQ(verified->next, kNow + 7 * kDay);
  EXPECT_EQ(verify_ocsp(answer(V_OCSP_CERTSTATUS_REVOKED), one().certificate, root().certificate, kNow)->status,
            "revoked");
}

TEST(Ocsp, IsNotBelievedOtherwise) {
  const test::Made other_root = test::made(test::authority("root"));
  const test::Made other = test::made(test::leaf({"other.com"}), KeyType::kEcP256, &root());
  const std::string good = answer(V_OCSP_CERTSTATUS_GOOD);
  const auto reason = [](const std::string& der, const Certificate& of, WallTime now) {
    const auto verified = verify_ocsp(der, of, root().certificate, now);
    return verified ? "believed" : verified.error().context;
  };
  EXPECT_EQ(reason(good, one().certificate, kNow + 8 * kDay), "an OCSP answer that has run out");
  EXPECT_EQ(reason(good, one().certificate, kNow - kDay), "an OCSP answer of the future");
  EXPECT_EQ(reason(good, other.certificate, kNow), "an OCSP answer about another certificate");
  EXPECT_EQ(reason(answer(V_OCSP_CERTSTATUS_GOOD, other_root), one().certificate, kNow),
            "an OCSP answer that the issuer has not signed");
  // Issued by the same, but for servers, not for this.
  EXPECT_EQ(reason(answer(V_OCSP_CERTSTATUS_GOOD, other), one().certificate, kNow),
            "an OCSP answer that the issuer has not signed");
  EXPECT_EQ(reason("hello", one().certificate, kNow), "no OCSP answer");
}

}  // namespace
}  // namespace rproxy::x509
