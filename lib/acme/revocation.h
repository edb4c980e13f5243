// Why a certificate is taken back (RFC 5280 5.3.1), as a subscriber may say it.
#pragma once

#include <array>
#include <string_view>

namespace rproxy::acme {

struct RevocationReason {
  std::string_view word;
  int code;
};
inline constexpr std::array kRevocationReasons{
    RevocationReason{"unspecified", 0}, RevocationReason{"key-compromise", 1},
    RevocationReason{"affiliation-changed", 3}, RevocationReason{"superseded", 4},
    RevocationReason{"cessation-of-operation", 5}};

}  // namespace rproxy::acme
