#include "acme/copies.h"

#include <unistd.h>

#include <optional>

#include "acme/session.h"
#include "x509/issuing.h"
#include "x509/new_file.h"
#include "x509/private_key.h"

namespace rproxy::acme {
namespace {

using x509::Access;
using x509::IfThere;

bool has_file(const std::string& file) { return ::access(file.c_str(), F_OK) == 0; }

// Nothing: there is none in it.
std::optional<x509::Certificate> leaf_in(const std::string& file) {
  auto chain = x509::load_chain(file);
  if (!chain || chain->empty()) return std::nullopt;
  return chain->front();
}

bool is_of(const x509::Certificate& leaf, const EVP_PKEY* key) {
  return x509::is_same_key(X509_get0_pubkey(leaf.native()), key);
}

}  // namespace

bool has(const CopyFiles& files, const x509::CertifiedKey& key) {
  const auto leaf = leaf_in(files.cert);
  const auto there = x509::load_key(files.key);
  return leaf && there && X509_cmp(leaf->native(), key.leaf().native()) == 0 && is_of(*leaf, there->get());
}

std::string in_the_way(const CopyFiles& files, const std::vector<std::string>& names, const x509::CertifiedKey* kept) {
  const auto leaf = leaf_in(files.cert);
  const auto key = x509::load_key(files.key);
  const bool is_earlier = leaf && is_for(*leaf, names);
  const auto is_own_key = [&] {
    return key && ((kept != nullptr && x509::is_same_key(kept->key(), key->get())) ||
                   (is_earlier && is_of(*leaf, key->get())));
  };
  if (has_file(files.key) && !is_own_key()) return files.key;
  const bool is_own_cert = is_earlier || (leaf && kept != nullptr && is_of(*leaf, kept->key()));
  return has_file(files.cert) && !is_own_cert ? files.cert : std::string();
}

Result<void> write(const CopyFiles& files, const x509::CertifiedKey& key) {
  const auto pem = x509::private_key_pem(key.key());
  if (!pem) return fail(pem.error());
  if (auto done = x509::write_new_file(files.key, pem->view(), Access::kPrivate, IfThere::kReplace); !done) return done;
  std::string chain;
  for (const x509::Certificate& each : key.chain()) chain += x509::to_pem(each);
  return x509::write_new_file(files.cert, chain, Access::kPublic, IfThere::kReplace);
}

}  // namespace rproxy::acme
