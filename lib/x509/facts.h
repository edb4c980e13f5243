// What certificates, requests and lists of revoked ones say, in words, for people and for JSON. Text is as it stands there, in UTF-8 where it
// can be: whoever shows it escapes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "x509/bundle.h"
#include "x509/certificate.h"

namespace rproxy::x509 {

// "O=Shop, CN=shop.com" (RFC 4514, but in the order it is written in); "": it is empty.
std::string text_of(const X509_NAME* name);
// The first entry of that kind, such as NID_commonName; "": there is none.
std::string entry_of(const X509_NAME* name, int nid);
// "DNS:shop.com", "IP:10.0.0.1"; of kinds that are not used for servers, the kind.
std::string text_of(const GENERAL_NAME* name);
// "ECDSA with SHA-256", or OpenSSL's name of it.
std::string signature_name(int signature_nid);
// Colons between the bytes.
std::string fingerprint(const Certificate& certificate, const EVP_MD* digest);
// Base64 of the SHA-256 of the public key (RFC 7469 2.4).
std::string key_pin(EVP_PKEY* key);

// That a log has been given the certificate (RFC 6962).
struct Timestamp {
  std::string log;  // its id, in base64
  WallTime time;
};

struct CertificateFacts {
  std::string subject;
  std::string issuer;
  std::string serial;  // hexadecimal
  int version = 3;
  std::vector<std::string> names;  // subjectAltName
  WallTime not_before;
  WallTime not_after;
  std::string key;
  int key_bits = 0;
  std::string key_pin;
  std::string signature;
  std::string sha256;
  std::string sha1;
  bool is_authority = false;
  bool is_self_issued = false;
  std::optional<long> path_length;
  std::vector<std::string> key_usage;
  std::vector<std::string> purposes;  // extended key usage
  std::vector<std::string> permitted;
  std::vector<std::string> excluded;
  std::string subject_key_id;
  std::string authority_key_id;
  std::vector<std::string> ocsp;
  std::vector<std::string> issuers;  // where the issuer's certificate can be had
  std::vector<std::string> revocation_lists;
  std::vector<std::string> policies;
  std::vector<Timestamp> timestamps;
  bool must_staple = false;
  std::vector<std::string> unknown_critical;
};
CertificateFacts facts_of(const Certificate& certificate);

struct RevocationListFacts {
  struct Entry {
    std::string serial;
    WallTime time;
  };
  std::string issuer;
  WallTime updated;
  std::optional<WallTime> next;
  std::string number;
  std::string signature;
  std::size_t count = 0;
  std::vector<Entry> entries;  // at most `entries_max` of them
};
RevocationListFacts facts_of(X509_CRL* list, std::size_t entries_max);

}  // namespace rproxy::x509
