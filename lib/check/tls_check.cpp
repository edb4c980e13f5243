#include "check/tls_check.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "config/problems.h"
#include "config/source.h"
#include "config/values.h"
#include "net/tls_context.h"
#include "x509/certified_key.h"

namespace rproxy::check {
namespace {

using config::Node;

constexpr std::chrono::hours kExpiresSoon{14 * 24};

// As describe(), without the code: the diagnostic's id says it.
std::string reason_text(const Error& error) {
  if (error.code != ErrorCode::kFile) return error.context;
  if (error.os_error == 0) return "can't read " + error.context;
  return fmt::format("can't read {}: {}", error.context, std::generic_category().message(error.os_error));
}

// A file as written, and as opened.
struct File {
  explicit File(const Node& written) : node(written), path(resolve_path(written.at, written.text)) {}

  // A message about it. A path that came out of the environment may be no path at all, but the key itself.
  std::string tell(std::string text) const {
    if (!config::is_secret(node)) return text;
    for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + node.raw.size()))
      text.replace(at, path.size(), node.raw);
    return text;
  }

  const Node& node;
  std::string path;
};

// A string that says something; what else there may be is reported already.
const Node* text_at(const Node& table, const char* key) {
  const Node* node = table.find(key);
  return node != nullptr && node->is(Node::Kind::kString) && !node->text.empty() ? node : nullptr;
}

class Checker {
 public:
  explicit Checker(config::Problems& problems) : problems_(problems) {}

  void check(const Node& tree) {
    check_listeners(tree);
    if (const Node* upstreams = tree.find("upstreams")) {
      for (const config::Member& member : upstreams->members) check_upstream(member.value);
    }
  }

 private:
  void check_listeners(const Node& tree) {
    const Node* listen = tree.find("listen");
    bool is_shared_used = listen != nullptr && listen->find("https") != nullptr;
    if (const Node* list = tree.find("listeners")) {
      for (const Node& listener : list->items) {
        const Node* tls = listener.find("tls");
        if (tls == nullptr) continue;
        if (tls->is(Node::Kind::kTable)) check_listener(*tls);
        is_shared_used = is_shared_used || (tls->is(Node::Kind::kBool) && tls->flag);
      }
    }
    const Node* shared = tree.find("tls");
    if (shared != nullptr && is_shared_used) check_listener(*shared);
  }

  void check_listener(const Node& tls) {
    check_pair(tls);
    if (const Node* list = tls.find("certificates")) {
      for (const Node& item : list->items) check_pair(item);
    }
    check_list(tls, "ciphers", &net::TlsServerOptions::ciphers,
               "names as `openssl ciphers` has them, with ':' between");
    check_list(tls, "ciphersuites", &net::TlsServerOptions::ciphersuites,
               "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 or TLS_CHACHA20_POLY1305_SHA256, with ':' between");
    check_list(tls, "groups", &net::TlsServerOptions::groups, "such as X25519:P-256:P-384");
    if (const Node* asked = tls.find("client_auth")) check_client_auth(*asked);
  }

  void check_client_auth(const Node& asked) {
    const Node* authorities = text_at(asked, "ca_file");
    if (authorities == nullptr || !check_authorities(*authorities)) return;
    const Node* lists = text_at(asked, "crl_file");
    if (lists == nullptr) return;
    const File file(*lists);
    const auto store = x509::TrustStore::from_files(File(*authorities).path, file.path);
    if (!store) return report("RP1311", file, store.error(), "a PEM file with the authorities' lists (X509 CRL)");
    for (const auto& [issuer, next] : store->revocation_lists()) {
      if (!next || *next > std::chrono::system_clock::now()) continue;
      problems_.warning("RP1312", file.node.at,
                        file.tell(fmt::format("{}: the list of {} has run out", file.path, issuer)),
                        "get a newer one: nobody of that authority is let in");
    }
  }

  bool check_authorities(const Node& node) {
    const File file(node);
    net::TlsClientOptions options;
    options.ca_file = file.path;
    const auto store = net::TlsClientContext::read_trusted(options);
    if (!store) report("RP1307", file, store.error(), "a PEM file with the authorities' certificates");
    return store.has_value();
  }

  void check_pair(const Node& table) {
    const Node* cert_node = text_at(table, "cert");
    const Node* key_node = text_at(table, "key");
    if (cert_node == nullptr || key_node == nullptr) return;
    const File cert(*cert_node);
    const File key(*key_node);
    auto chain = x509::load_chain(cert.path);
    if (!chain) report("RP1304", cert, chain.error(), "a PEM file with the certificate, then its chain");
    auto private_key = x509::load_key(key.path);
    if (!private_key) report("RP1305", key, private_key.error(), "a PEM file with an RSA, ECDSA or Ed25519 key");
    if (!chain || !private_key) return;
    warn_of_dates(cert, chain->front());
    auto both = x509::CertifiedKey::pair(std::move(*chain), std::move(*private_key), cert.path, key.path);
    if (!both) {
      problems_.error("RP1306", key.node.at, key.tell(cert.tell(reason_text(both.error()))),
                      "the key that the certificate was requested with");
      return;
    }
    const auto shared = std::make_shared<const x509::CertifiedKey>(std::move(*both));
    if (const auto tried = net::TlsIdentity::create(shared); !tried)
      report("RP1304", cert, tried.error(), "OpenSSL refuses it: get one with a newer key or signature");
  }

  void warn_of_dates(const File& file, const x509::Certificate& leaf) {
    const auto now = std::chrono::system_clock::now();
    const auto left = std::chrono::duration_cast<std::chrono::hours>(leaf.not_after() - now);
    std::string what;
    if (leaf.not_before() > now) {
      what = "is not valid yet";
    } else if (leaf.not_after() <= now) {
      what = "has expired";
    } else if (left < kExpiresSoon) {
      what = fmt::format("expires in {} days and {} hours", left.count() / 24, left.count() % 24);
    }
    if (what.empty()) return;
    problems_.warning("RP1309", file.node.at,
                      file.tell(fmt::format("{}: the certificate for {} {}", file.path, leaf.label(), what)),
                      "renew it; clients refuse one outside its dates");
  }

  void check_list(const Node& tls, const char* key, std::string net::TlsServerOptions::*member, const char* remedy) {
    const Node* node = text_at(tls, key);
    if (node == nullptr) return;
    net::TlsServerOptions options;
    options.*member = node->text;
    if (const auto checked = net::TlsServerContext::check(options); !checked)
      problems_.error("RP1308", node->at, reason_text(checked.error()), remedy);
  }

  void check_upstream(const Node& upstream) {
    const Node* tls = upstream.find("tls");
    const Node* verify = tls != nullptr ? tls->find("verify") : nullptr;
    const bool is_verified = verify == nullptr || !verify->is(Node::Kind::kBool) || verify->flag;
    const Node* node = tls != nullptr && is_verified ? text_at(*tls, "ca_file") : nullptr;
    if (node != nullptr) check_authorities(*node);
    if (tls != nullptr) check_pair(*tls);
  }

  void report(const char* id, const File& file, const Error& error, const char* remedy) {
    problems_.error(id, file.node.at, file.tell(reason_text(error)), remedy);
  }

  config::Problems& problems_;
};

}  // namespace

void check_tls(config::Loaded& loaded) {
  if (!loaded.tree) return;
  config::Problems problems;
  problems.list() = std::move(loaded.diagnostics);
  Checker(problems).check(*loaded.tree);
  loaded.diagnostics = std::move(problems.list());
  config::sort_diagnostics(loaded.diagnostics);
}

}  // namespace rproxy::check
