// Certificates, made: by an authority, or signed by their own key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "x509/certificate.h"
#include "x509/subject_name.h"

namespace rproxy::x509 {

// One that is not among those below; `der` is its value.
struct Extension {
  std::string oid;
  bool is_critical = false;
  std::string der;
};

struct Purposes {
  bool server = true;
  bool client = false;
};

// RFC 5280 4.2.1.10. What one kind of name is permitted of excludes all of the others, but e-mail addresses and URIs.
struct NameConstraints {
  std::vector<std::string> dns;  // "shop.com": it, and all below
  std::vector<IpNetwork> networks;
  bool empty() const { return dns.empty() && networks.empty(); }
};

struct Authority {
  std::optional<int> path_length;  // authorities that may be below it; none: any number
  NameConstraints permitted;
};

// What a certificate is to say.
struct Profile {
  std::string common_name;  // at most 64 characters of UTF-8
  std::string organization;
  std::vector<SubjectName> names;
  WallTime not_before;
  WallTime not_after;
  Purposes purposes;                   // of one that is no authority
  std::optional<Authority> authority;  // makes it one
  std::vector<Extension> extensions;   // more of them
};

// The certificate of an authority and its private key.
struct Issuer {
  const Certificate& certificate;
  EVP_PKEY* key;
};

// The host name or address that names it best, if it fits into a common name; else "". For Profile::common_name.
std::string common_name_of(const std::vector<SubjectName>& names);

// With a serial number of 128 random bits. Errors: kConfig, where the profile can't be had.
Result<Certificate> self_signed(const Profile& profile, EVP_PKEY* key);
// `key` is the subject's, of which the public half is enough. Errors: kConfig, also where the issuer may not issue it: it is no authority, its
// path length or its name constraints forbid it, or it ends earlier.
Result<Certificate> issue(const Profile& profile, EVP_PKEY* key, const Issuer& issuer);

// For TLS-ALPN-01 (RFC 8737 3): self-signed, for one name, with the SHA-256 of the key authorization (32 bytes).
Result<Certificate> acme_alpn_certificate(const SubjectName& name, std::string_view digest, EVP_PKEY* key,
                                          WallTime now);

// "-----BEGIN CERTIFICATE-----" and so on, ends in a newline.
std::string to_pem(const Certificate& certificate);
std::string to_der(const Certificate& certificate);

}  // namespace rproxy::x509
