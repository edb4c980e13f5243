// Certificates as lib/x509 makes them, in one line each; with what lib/x509 would not make, by hand.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "x509/issuing.h"
#include "x509/private_key.h"

namespace rproxy::test {

constexpr std::chrono::hours kDay{24};
// 2026-11-27 00:00:00 UTC.
constexpr x509::WallTime kNow{std::chrono::seconds{1'795'737'600}};

inline std::vector<x509::SubjectName> names_of(std::initializer_list<const char*> texts) {
  std::vector<x509::SubjectName> names;
  for (const char* text : texts) names.push_back(*x509::SubjectName::parse(text));
  return names;
}

inline x509::Profile leaf(std::initializer_list<const char*> names) {
  x509::Profile profile;
  profile.names = names_of(names);
  profile.common_name = x509::common_name_of(profile.names);
  profile.not_before = kNow - std::chrono::hours{1};
  profile.not_after = kNow + 90 * kDay;
  return profile;
}

inline x509::Profile authority(const std::string& name) {
  x509::Profile profile;
  profile.common_name = name;
  profile.authority.emplace();
  profile.not_before = kNow - 100 * kDay;
  profile.not_after = kNow + 3650 * kDay;
  return profile;
}

struct Made {
  x509::KeyPtr key;
  x509::Certificate certificate;
};

inline Made made(const x509::Profile& profile, x509::KeyType type = x509::KeyType::kEcP256,
                 const Made* issuer = nullptr) {
  x509::KeyPtr key = std::move(*x509::generate_key(type));
  auto certificate = issuer != nullptr ? x509::issue(profile, key.get(), {issuer->certificate, issuer->key.get()})
                                       : x509::self_signed(profile, key.get());
  if (!certificate) throw std::runtime_error(certificate.error().context);
  return {std::move(key), std::move(*certificate)};
}

// A copy that is changed, and signed again by that key.
inline x509::Certificate changed(const x509::Certificate& from, EVP_PKEY* signer,
                                 const std::function<void(X509*)>& change, const EVP_MD* digest = EVP_sha256()) {
  x509::X509Ptr copy(X509_dup(from.native()));
  change(copy.get());
  X509_sign(copy.get(), signer, digest);
  x509::X509Ptr parsed(X509_dup(copy.get()));
  return x509::Certificate(std::move(parsed));
}

inline void remove_extension(X509* from, int nid) {
  const int at = X509_get_ext_by_NID(from, nid, -1);
  if (at >= 0) X509_EXTENSION_free(X509_delete_ext(from, at));
}

}  // namespace rproxy::test
