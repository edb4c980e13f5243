#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "check/lint_parts.h"
#include "config/source.h"
#include "config/text.h"
#include "config/values.h"
#include "x509/certified_key.h"
#include "x509/trust_store.h"
#include "x509/verification.h"

namespace rproxy::check {
namespace {

using config::Node;
using x509::Certificate;

// One that is used, as it stands in the file.
struct Used {
  const Node* cert;
  std::vector<Certificate> chain;
};

// The first thing that is wrong with how it hangs together, as `rproxy cert verify` says it. Whom it ends at is the operator's business: many
// have an authority of their own.
std::optional<x509::Finding> fault_of_chain(const std::vector<Certificate>& chain,
                                            const std::optional<x509::TrustStore>& known) {
  constexpr std::string_view kWords[] = {"wrong-order",      "missing-issuer", "bad-signature",
                                         "not-an-authority", "path-too-long",  "name-constraints"};
  x509::ChainQuestion question;
  question.presented = chain;
  question.trusted = known ? &*known : nullptr;
  question.now = std::chrono::system_clock::now();
  x509::ChainVerdict verdict = x509::verify_chain(question);
  for (x509::Finding& each : verdict.findings) {
    if (std::ranges::find(kWords, each.word) != std::end(kWords)) return std::move(each);
  }
  return std::nullopt;
}

class CertificateLint {
 public:
  CertificateLint(const config::Loaded& loaded, config::Problems& problems)
      : tree_(*loaded.tree), config_(loaded.config), problems_(problems) {}

  void run() {
    const Node* listen = tree_.find("listen");
    bool is_shared_used = listen != nullptr && listen->find("https") != nullptr;
    if (const Node* list = tree_.find("listeners")) {
      for (const Node& listener : list->items) {
        const Node* tls = listener.find("tls");
        if (tls == nullptr) continue;
        if (tls->is(Node::Kind::kTable)) look_at(*tls);
        is_shared_used = is_shared_used || (tls->is(Node::Kind::kBool) && tls->flag);
      }
    }
    const Node* shared = tree_.find("tls");
    if (shared != nullptr && is_shared_used) look_at(*shared);
    if (!all_.empty()) look_at_hosts();
  }

 private:
  void look_at(const Node& tls) {
    add(tls);
    if (const Node* list = tls.find("certificates")) {
      for (const Node& item : list->items) add(item);
    }
  }

  void add(const Node& table) {
    const Node* cert = table.find("cert");
    if (cert == nullptr || !cert->is(Node::Kind::kString)) return;
    auto chain = x509::load_chain(resolve_path(cert->at, cert->text));
    if (!chain) return;  // check_tls() has told of it
    if (all_.empty()) {
      if (auto system = x509::TrustStore::system()) known_ = std::move(*system);
    }
    if (const auto fault = fault_of_chain(*chain, known_); fault)
      problems_.warning("RP2302", cert->at, config::printable(fault->text), config::printable(fault->remedy));
    all_.push_back({cert, std::move(*chain)});
  }

  // Of hosts that routes name; any host may be anything.
  void look_at_hosts() {
    std::set<std::string> seen;
    std::set<const Used*> used;
    bool has_any = false;
    for (std::size_t i = 0; i < config_.routes.size(); ++i) {
      const std::string& host = config_.routes[i].rule.match.host;
      has_any = has_any || host.empty();
      if (host.empty() || !seen.insert(host).second) continue;
      if (!note_users(host, used)) report(i, host);
    }
    for (const Used& each : all_) {
      // The first one is for whoever asks for a name that nobody has.
      if (has_any || used.contains(&each) || &each == &all_.front()) continue;
      problems_.warning(
          "RP2303", each.cert->at,
          fmt::format("no route has a host that the certificate for {} covers", each.chain.front().label()),
          "delete it, or add the route that it is for");
    }
  }

  bool note_users(const std::string& host, std::set<const Used*>& used) const {
    bool is_covered = false;
    for (const Used& each : all_) {
      if (!covers(each.chain.front(), host)) continue;
      used.insert(&each);
      is_covered = true;
    }
    return is_covered;
  }

  static bool covers(const Certificate& leaf, const std::string& host) {
    if (const auto address = IpAddress::parse(host)) return std::ranges::count(leaf.ip_addresses(), *address) > 0;
    if (!host.starts_with("*.")) return leaf.covers(host);
    // Names below it, of which there are more than any certificate has: one is enough to be meant for it.
    const auto below = std::string_view(host).substr(1);
    return std::ranges::any_of(leaf.dns_names(), [&](const std::string& name) { return name.ends_with(below); });
  }

  void report(std::size_t route, const std::string& host) {
    const Node& at = match_node(tree_.find("routes")->items[route], "host");
    if (is_secret(at)) return;
    problems_.warning("RP2301", at.at,
                      fmt::format("no certificate covers {}: by https its clients see another's", host),
                      "add one to [tls] certificates, or have the name added to one that is there");
  }

  const Node& tree_;
  const config::Config& config_;
  config::Problems& problems_;
  std::vector<Used> all_;
  std::optional<x509::TrustStore> known_;  // to the system; read with the first certificate
};

}  // namespace

void lint_certificates(const config::Loaded& loaded, config::Problems& problems) {
  CertificateLint(loaded, problems).run();
}

}  // namespace rproxy::check
