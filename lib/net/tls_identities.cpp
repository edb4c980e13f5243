#include "net/tls_identities.h"

#include <openssl/err.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/tls_context.h"

namespace rproxy::net {

TlsIdentity::TlsIdentity(std::shared_ptr<const x509::CertifiedKey> key)
    : key_(std::move(key)), chain_(sk_X509_new_null()) {
  for (std::size_t i = 1; i < key_->chain().size(); ++i) sk_X509_push(chain_.get(), key_->chain()[i].native());
}

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::create(std::shared_ptr<const x509::CertifiedKey> key) {
  ERR_clear_error();
  std::shared_ptr<const TlsIdentity> made(new TlsIdentity(std::move(key)));
  if (!made->present(SslCtxPtr(SSL_CTX_new(TLS_server_method())).get()))
    return tls::option_error("certificate of " + made->key().leaf().label());
  return made;
}

void TlsIdentity::staple(std::shared_ptr<const Staple> answer) const {
  const std::lock_guard lock(mutex_);
  staple_.swap(answer);
}

std::shared_ptr<const TlsIdentity::Staple> TlsIdentity::stapled() const {
  const std::lock_guard lock(mutex_);
  return staple_ != nullptr && staple_->until > std::chrono::system_clock::now() ? staple_ : nullptr;
}

bool TlsIdentity::present(SSL_CTX* context) const {
  constexpr int kReplace = 1;
  return SSL_CTX_use_cert_and_key(context, key_->leaf().native(), key_->key(), chain_.get(), kReplace) == 1;
}

bool TlsIdentity::present(SSL* ssl) const {
  constexpr int kReplace = 1;
  return SSL_use_cert_and_key(ssl, key_->leaf().native(), key_->key(), chain_.get(), kReplace) == 1;
}

TlsIdentities::TlsIdentities(List all) : all_(std::move(all)) {
  for (const auto& identity : all_) {
    for (const auto& name : identity->key().leaf().dns_names()) add_to(by_name_[name], *identity);
  }
  add_to(fallback_, *all_.front());
  const auto& names = all_.front()->key().leaf().dns_names();
  if (names.empty()) return;
  for (const TlsIdentity* identity : by_name_[names.front()]) add_to(fallback_, *identity);
}

Result<std::shared_ptr<const TlsIdentities>> TlsIdentities::create(const Keys& keys) {
  if (keys.empty()) return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, "tls: no certificate");
  List all;
  for (const auto& key : keys) {
    auto identity = TlsIdentity::create(key);
    if (!identity) return fail(std::move(identity.error()));
    all.push_back(std::move(*identity));
  }
  return std::make_shared<const TlsIdentities>(std::move(all));
}

void TlsIdentities::add_to(Set& set, const TlsIdentity& identity) {
  const int type = identity.key().key_type();
  const bool has =
      std::ranges::any_of(set, [type](const TlsIdentity* other) { return other->key().key_type() == type; });
  if (!has) set.push_back(&identity);
}

const TlsIdentities::Set* TlsIdentities::find(const char* name) const {
  if (name == nullptr) return nullptr;
  std::string key = x509::normal_dns_name(name);
  if (const auto exact = by_name_.find(key); exact != by_name_.end()) return &exact->second;
  // RFC 9525 6.3: a wildcard stands for exactly one label.
  const auto dot = key.find('.');
  if (dot == std::string::npos) return nullptr;
  key.replace(0, dot, "*");
  const auto wildcard = by_name_.find(key);
  return wildcard != by_name_.end() ? &wildcard->second : nullptr;
}

Result<std::shared_ptr<TlsPresence>> TlsPresence::of(const TlsIdentities::Keys& keys) {
  auto identities = TlsIdentities::create(keys);
  if (!identities) return fail(std::move(identities.error()));
  return std::make_shared<TlsPresence>(std::move(*identities));
}

void TlsPresence::show(std::shared_ptr<const TlsIdentities> next) {
  const std::lock_guard lock(mutex_);
  shown_.swap(next);
  version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const TlsIdentities> TlsPresence::shown() const {
  const std::lock_guard lock(mutex_);
  return shown_;
}

void TlsPresence::trust(std::shared_ptr<const x509::TrustStore> next) {
  const std::lock_guard lock(mutex_);
  trusted_.swap(next);
  version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const x509::TrustStore> TlsPresence::trusted() const {
  const std::lock_guard lock(mutex_);
  return trusted_;
}

void TlsChallenges::answer(const std::string& name, std::shared_ptr<const TlsIdentity> identity) {
  const std::lock_guard lock(mutex_);
  if (identity != nullptr) {
    known_[name] = std::move(identity);
  } else {
    known_.erase(name);
  }
}

std::shared_ptr<const TlsIdentity> TlsChallenges::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(name);
  return found != known_.end() ? found->second : nullptr;
}

}  // namespace rproxy::net
