// What an authority says of a certificate of late (OCSP, RFC 6960), as servers staple it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "x509/certificate.h"

namespace rproxy::x509 {

struct OcspAnswer {
  std::string status;  // "good", "revoked", "unknown"; of what is no answer, why
  std::optional<WallTime> updated;
  std::optional<WallTime> next;
};

// What is asked of the authority, in DER (RFC 6960 4.1), and where to: the first responder that the certificate names; "" where it names none.
std::string ocsp_request(const Certificate& certificate, const Certificate& issuer);
std::string ocsp_responder(const Certificate& certificate);

// An answer to that: signed by the issuer or by whom it has said may, for this certificate, and of now. Errors: kBadResponse, with why.
Result<OcspAnswer> verify_ocsp(std::string_view der, const Certificate& certificate, const Certificate& issuer,
                               WallTime now);

// The signature is not looked at. Nothing: it is malformed.
std::optional<OcspAnswer> parse_ocsp(std::string_view der);

}  // namespace rproxy::x509
