// What an authority says of a certificate of late (OCSP, RFC 6960), as servers staple it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "x509/certificate.h"

namespace rproxy::x509 {

struct OcspAnswer {
  std::string status;  // "good", "revoked", "unknown"; of what is no answer, why
  std::optional<WallTime> updated;
  std::optional<WallTime> next;
};

// The signature is not looked at. Nothing: it is malformed.
std::optional<OcspAnswer> parse_ocsp(std::string_view der);

}  // namespace rproxy::x509
