// How much work a file asks for before a password can be tried: some are written to take minutes. Of lib/x509 alone.
#pragma once

#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <string_view>

namespace rproxy::x509 {

// Whether a password for it can be tried in a few seconds. True for what is not understood here, as OpenSSL does not either.
bool is_affordable(const X509_SIG* encrypted_key);
// All that is in it; `password` is for what can be seen only then. With an end of 0, as OpenSSL wants it.
bool is_affordable(PKCS12* store, std::string_view password);
// Its check of the password alone.
bool is_check_affordable(const PKCS12* store);

}  // namespace rproxy::x509
