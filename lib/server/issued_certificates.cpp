#include "server/issued_certificates.h"

#include <chrono>
#include <utility>

#include "acme/store.h"
#include "base/log.h"

namespace rproxy::server {

Result<void> IssuedCertificates::read(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  const auto store = acme::Store::open(storage_, directory_);
  if (!store) return fail(store.error());
  for (const std::string& name : names) {
    {
      const std::lock_guard lock(mutex_);
      if (known_.contains(name)) continue;
    }
    auto key = store->certificate(name);
    // What is broken is made anew.
    if (!key || *key == nullptr) continue;
    if (auto done = put(name, std::move(*key)); !done) log::warn("acme: {}: {}", name, describe(done.error()));
  }
  return {};
}

std::vector<std::string> IssuedCertificates::stored_names() const {
  std::vector<std::string> names;
  const auto store = acme::Store::open(storage_, directory_);
  if (!store) return names;
  for (std::string& name : store->names()) {
    const auto key = store->certificate(name);
    if (key && *key != nullptr && (*key)->leaf().not_after() > std::chrono::system_clock::now())
      names.push_back(std::move(name));
  }
  return names;
}

Result<void> IssuedCertificates::put(const std::string& name, std::shared_ptr<const x509::CertifiedKey> key) {
  auto identity = net::TlsIdentity::create(std::move(key));
  if (!identity) return fail(std::move(identity.error()));
  const std::lock_guard lock(mutex_);
  known_[name] = std::move(*identity);
  return {};
}

net::TlsIdentities::List IssuedCertificates::of(const std::vector<std::string>& names) const {
  net::TlsIdentities::List list;
  const std::lock_guard lock(mutex_);
  for (const std::string& name : names) {
    if (const auto found = known_.find(name); found != known_.end()) list.push_back(found->second);
  }
  return list;
}

}  // namespace rproxy::server
