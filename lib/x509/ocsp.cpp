#include "x509/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <chrono>
#include <memory>
#include <utility>

namespace rproxy::x509 {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeBy<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeBy<OCSP_BASICRESP_free>>;
using IdPtr = std::unique_ptr<OCSP_CERTID, FreeBy<OCSP_CERTID_free>>;
using OcspRequestPtr = std::unique_ptr<OCSP_REQUEST, FreeBy<OCSP_REQUEST_free>>;

struct FreeStack {
  void operator()(STACK_OF(X509) * all) const { sk_X509_free(all); }
};

// Responders' clocks and ours.
constexpr std::chrono::minutes kClockSkew{5};

tl::unexpected<Error> bad_answer(std::string why) {
  ERR_clear_error();
  return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kSafe, std::move(why));
}

// The issuer's own, or one that it has issued for this purpose alone (RFC 6960 4.2.2.2).
bool is_signed_for(OCSP_BASICRESP* basic, const Certificate& issuer) {
  const StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), issuer.native());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const std::unique_ptr<STACK_OF(X509), FreeStack> candidates(sk_X509_new_null());
  sk_X509_push(candidates.get(), issuer.native());
  return OCSP_basic_verify(basic, candidates.get(), store.get(), 0) == 1;
}

}  // namespace

std::string ocsp_responder(const Certificate& certificate) {
  STACK_OF(OPENSSL_STRING)* const all = X509_get1_ocsp(certificate.native());
  std::string first = all != nullptr && sk_OPENSSL_STRING_num(all) > 0 ? sk_OPENSSL_STRING_value(all, 0) : "";
  X509_email_free(all);
  return first;
}

std::string ocsp_request(const Certificate& certificate, const Certificate& issuer) {
  const OcspRequestPtr request(OCSP_REQUEST_new());
  // RFC 5019 2.1.1: SHA-1 names the issuer, it protects nothing; responders know no other.
  OCSP_request_add0_id(request.get(), OCSP_cert_to_id(EVP_sha1(), certificate.native(), issuer.native()));
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_REQUEST(request.get(), &der);
  std::string out(reinterpret_cast<const char*>(der), size > 0 ? static_cast<std::size_t>(size) : 0);
  OPENSSL_free(der);
  return out;
}

Result<OcspAnswer> verify_ocsp(std::string_view der, const Certificate& certificate, const Certificate& issuer,
                               WallTime now) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(der.size())));
  if (!response) return bad_answer("no OCSP answer");
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) return bad_answer(OCSP_response_status_str(status));
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  if (!basic) return bad_answer("an OCSP answer of an unknown kind");
  if (!is_signed_for(basic.get(), issuer)) return bad_answer("an OCSP answer that the issuer has not signed");
  const IdPtr id(OCSP_cert_to_id(EVP_sha1(), certificate.native(), issuer.native()));
  int state = 0;
  int reason = 0;
  ASN1_GENERALIZEDTIME* revoked = nullptr;
  ASN1_GENERALIZEDTIME* updated = nullptr;
  ASN1_GENERALIZEDTIME* next = nullptr;
  if (OCSP_resp_find_status(basic.get(), id.get(), &state, &reason, &revoked, &updated, &next) != 1 ||
      updated == nullptr)
    return bad_answer("an OCSP answer about another certificate");
  OcspAnswer answer;
  answer.status = OCSP_cert_status_str(state);
  answer.updated = wall_time(updated);
  if (next != nullptr) answer.next = wall_time(next);
  if (*answer.updated > now + kClockSkew) return bad_answer("an OCSP answer of the future");
  if (answer.next && *answer.next < now) return bad_answer("an OCSP answer that has run out");
  return answer;
}

std::optional<OcspAnswer> parse_ocsp(std::string_view der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!response) return std::nullopt;
  OcspAnswer answer;
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    answer.status = OCSP_response_status_str(status);
    return answer;
  }
  const BasicPtr basic(OCSP_response_get1_basic(response.get()));
  OCSP_SINGLERESP* single = basic ? OCSP_resp_get0(basic.get(), 0) : nullptr;
  ERR_clear_error();
  if (single == nullptr) return std::nullopt;
  ASN1_GENERALIZEDTIME* updated = nullptr;
  ASN1_GENERALIZEDTIME* next = nullptr;
  answer.status = OCSP_cert_status_str(OCSP_single_get0_status(single, nullptr, nullptr, &updated, &next));
  if (updated != nullptr) answer.updated = wall_time(updated);
  if (next != nullptr) answer.next = wall_time(next);
  return answer;
}

}  // namespace rproxy::x509
