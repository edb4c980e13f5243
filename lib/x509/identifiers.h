// What certificates are told apart by.
#pragma once

#include <string>

#include "x509/certificate.h"

namespace rproxy::x509 {

// The key identifier of who has issued it (RFC 5280 4.2.1.1), as bytes; "" where it does not say.
std::string authority_key_id(const Certificate& certificate);
// The bytes of its DER: the most significant bit is its sign's.
std::string serial_number(const Certificate& certificate);

}  // namespace rproxy::x509
