// The certificates that a listener has to show, by the names they are for. A set never changes; which one is shown may.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls_on_demand.h"
#include "x509/certified_key.h"
#include "x509/trust_store.h"

namespace rproxy::net {

// One certificate, with what OpenSSL wants beside it.
class TlsIdentity {
 public:
  // Errors: kConfig, whatever OpenSSL has against it: nothing of that is left for a handshake.
  static Result<std::shared_ptr<const TlsIdentity>> create(std::shared_ptr<const x509::CertifiedKey> key);

  const x509::CertifiedKey& key() const { return *key_; }
  const std::shared_ptr<const x509::CertifiedKey>& shared_key() const { return key_; }
  // What its authority says of it (OCSP, in DER), to be shown to who asks until it has run out. Any thread.
  struct Staple {
    std::string der;
    x509::WallTime until;
  };
  void staple(std::shared_ptr<const Staple> answer) const;
  // Null: there is none, or none any more.
  std::shared_ptr<const Staple> stapled() const;

  // Beside those of other kinds of keys, if these are there. False: OpenSSL refuses.
  bool present(SSL_CTX* context) const;
  bool present(SSL* ssl) const;

 private:
  struct FreeChain {
    void operator()(STACK_OF(X509) * chain) const { sk_X509_free(chain); }
  };
  explicit TlsIdentity(std::shared_ptr<const x509::CertifiedKey> key);

  std::shared_ptr<const x509::CertifiedKey> key_;
  std::unique_ptr<STACK_OF(X509), FreeChain> chain_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Staple> staple_;
};

class TlsIdentities {
 public:
  using Keys = std::vector<std::shared_ptr<const x509::CertifiedKey>>;
  using List = std::vector<std::shared_ptr<const TlsIdentity>>;
  // At most one for each kind of key.
  using Set = std::vector<const TlsIdentity*>;

  // The first is shown to who asks for a name that none is for, with those of other kinds of keys for its first name. Of several for a
  // name the first of each kind of key is taken; the client's abilities decide between kinds. There is at least one.
  explicit TlsIdentities(List all);
  // Errors: kConfig, also where there is none.
  static Result<std::shared_ptr<const TlsIdentities>> create(const Keys& keys);

  TlsIdentities(const TlsIdentities&) = delete;
  TlsIdentities& operator=(const TlsIdentities&) = delete;

  const Set& fallback() const { return fallback_; }
  // For the name asked for, as it came; null where no certificate covers it.
  const Set* find(const char* name) const;
  const List& all() const { return all_; }

 private:
  static void add_to(Set& set, const TlsIdentity& identity);

  const List all_;
  std::map<std::string, Set, std::less<>> by_name_;  // "shop.com", "*.shop.com"
  Set fallback_;
};

// What is shown to who asks for "acme-tls/1" (RFC 8737) and a name, which nobody else is shown. Any thread.
class TlsChallenges {
 public:
  // `name` as a client asks for it; null takes it back.
  void answer(const std::string& name, std::shared_ptr<const TlsIdentity> identity);
  std::shared_ptr<const TlsIdentity> find(std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const TlsIdentity>, std::less<>> known_;
};

// What a listener shows just now. Any thread.
class TlsPresence {
 public:
  // `challenges`: null where it answers none; `on_demand`: null where nothing is made for who asks.
  explicit TlsPresence(std::shared_ptr<const TlsIdentities> first,
                       std::shared_ptr<const TlsChallenges> challenges = nullptr,
                       std::shared_ptr<TlsOnDemand> on_demand = nullptr)
      : challenges_(std::move(challenges)), on_demand_(std::move(on_demand)), shown_(std::move(first)) {}
  // Errors: as of TlsIdentities::create().
  static Result<std::shared_ptr<TlsPresence>> of(const TlsIdentities::Keys& keys);

  // From the next handshake on.
  void show(std::shared_ptr<const TlsIdentities> next);
  std::shared_ptr<const TlsIdentities> shown() const;
  // The same, of whose certificates are taken from clients; null: nobody's.
  void trust(std::shared_ptr<const x509::TrustStore> next);
  std::shared_ptr<const x509::TrustStore> trusted() const;
  // Another one each time something else is shown.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  TlsOnDemand* on_demand() const { return on_demand_.get(); }
  // Null: there is none.
  std::shared_ptr<const TlsIdentity> challenge(std::string_view name) const {
    return challenges_ != nullptr ? challenges_->find(name) : nullptr;
  }

 private:
  const std::shared_ptr<const TlsChallenges> challenges_;
  const std::shared_ptr<TlsOnDemand> on_demand_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsIdentities> shown_;
  std::shared_ptr<const x509::TrustStore> trusted_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace rproxy::net
