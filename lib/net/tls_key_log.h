// The secrets of TLS connections in a file, for those who look into captured traffic (SSLKEYLOGFILE's format). Only where it is asked for.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "base/result.h"

namespace rproxy::net {

// Before the first context is made, for all of the process. The file is made with mode 0600, or added to. Errors: kFile.
Result<void> log_tls_keys_to(const std::string& file);

// Of contexts: does nothing where nobody asked.
void log_tls_keys_of(SSL_CTX* context);

}  // namespace rproxy::net
