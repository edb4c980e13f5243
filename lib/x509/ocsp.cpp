#include "x509/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <memory>

namespace rproxy::x509 {

std::optional<OcspAnswer> parse_ocsp(std::string_view der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<OCSP_RESPONSE, FreeBy<OCSP_RESPONSE_free>> response(
      d2i_OCSP_RESPONSE(nullptr, &data, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!response) return std::nullopt;
  OcspAnswer answer;
  const int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    answer.status = OCSP_response_status_str(status);
    return answer;
  }
  const std::unique_ptr<OCSP_BASICRESP, FreeBy<OCSP_BASICRESP_free>> basic(OCSP_response_get1_basic(response.get()));
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
