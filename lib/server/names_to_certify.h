// For which names certificates are to be had from the ACME server.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/tls_identities.h"

namespace rproxy::server {

// Those that the configuration lists, and the hosts of its routes that none of the certificates it names covers; sorted, each once. Hosts that
// no authority knows (of one label, addresses) have to be listed, and wildcards take dns-01 (RFC 8555 7.4.1).
std::vector<std::string> names_to_certify(const config::Config& config, const net::TlsIdentities::List& have);

// The same for who has not read the certificates yet. Errors: kFile, kConfig (of a certificate).
Result<std::vector<std::string>> names_to_certify(const config::Config& config);

}  // namespace rproxy::server
