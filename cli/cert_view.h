// Certificates and what goes with them, as text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/cert.h"
#include "x509/facts.h"
#include "x509/verification.h"

namespace rproxy::cli {

using CertJson = nlohmann::ordered_json;

// All end in a newline, and escape what others wrote.
std::string certificate_text(const x509::CertificateFacts& facts, WallTime now);
// Who has issued whom, the authorities first.
std::string chain_tree(const std::vector<x509::Certificate>& certificates, WallTime now);
std::string request_text(const x509::Request& request);
std::string revocation_list_text(X509_CRL* list, WallTime now);
std::string key_text(EVP_PKEY* key, bool is_private);
// "error: text [word]" and the remedy below it.
std::string findings_text(const std::vector<x509::Finding>& findings, bool color);

CertJson certificate_json(const x509::CertificateFacts& facts);
CertJson request_json(const x509::Request& request);
CertJson revocation_list_json(X509_CRL* list);
CertJson key_json(EVP_PKEY* key);
CertJson findings_json(const std::vector<x509::Finding>& findings);
// With what is in no encoding at all replaced; ends in a newline.
std::string dump(const CertJson& json);

std::string short_name(const x509::Certificate& certificate);

}  // namespace rproxy::cli
