// What clients will think of a chain of certificates, and why: all that is wrong with it, each with what to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "x509/certificate.h"
#include "x509/trust_store.h"

namespace rproxy::x509 {

enum class Severity : std::uint8_t { kNote, kWarning, kError };

struct Finding {
  Severity severity = Severity::kError;
  std::string word;  // stable: "expired", "missing-issuer"; the man page lists them
  std::string text;
  std::string remedy;
};

struct ChainQuestion {
  std::vector<Certificate> presented;  // as a server sends them; at least one
  const TrustStore* trusted = nullptr;
  std::vector<std::string> names;  // host names and addresses that clients ask for
  EVP_PKEY* key = nullptr;         // the server's; null: nothing is known of it
  enum class Purpose : std::uint8_t { kServer, kClient } purpose = Purpose::kServer;
  WallTime now;
};

struct ChainVerdict {
  std::vector<Finding> findings;  // the worst first
  std::vector<Certificate> path;  // from the leaf to where it ends; what is not presented is from the trusted
  std::size_t presented_in_path = 0;
  bool is_trusted = false;  // it ends at a trusted authority

  bool is_fine() const;  // no errors
};

ChainVerdict verify_chain(const ChainQuestion& question);

// Whether the signature is by that key; false also for a key that can't sign so.
bool is_signed_by(const Certificate& certificate, const Certificate& issuer);

// "" where it is strong enough; else what is weak: "RSA 1024", "ECDSA with SHA-1".
std::string weakness_of_key(const EVP_PKEY* key);
std::string weakness_of_signature(const Certificate& certificate);

}  // namespace rproxy::x509
