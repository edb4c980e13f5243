#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "cli/cert_view.h"
#include "config/text.h"
#include "x509/path.h"

namespace rproxy::cli {
namespace {

std::string listed(std::string_view label, const std::vector<std::string>& values) {
  return values.empty() ? "" : cert_field(label, joined(values));
}

// Each on a line of its own, for no address is broken.
std::string lines(std::string_view label, const std::vector<std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) out += cert_field(i == 0 ? label : "", values[i]);
  return out;
}

std::string fingerprint_lines(std::string_view label, const std::string& text) {
  constexpr std::size_t kHalf = 48;
  if (text.size() < kHalf + 20) return cert_field(label, text);
  return cert_field(label, text.substr(0, kHalf - 1)) + cert_field("", text.substr(kHalf));
}

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIssuerMin = 20;

class Tree {
 public:
  Tree(const std::vector<x509::Certificate>& all, WallTime now)
      : all_(all), now_(now), below_(all.size()), is_drawn_(all.size()) {
    std::unordered_multimap<unsigned long, std::size_t> by_subject;
    for (std::size_t i = 0; i < all.size(); ++i) by_subject.emplace(X509_subject_name_hash(all[i].native()), i);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto [first, last] = by_subject.equal_range(X509_issuer_name_hash(all[i].native()));
      std::optional<std::size_t> issuer;
      for (auto each = first; each != last; ++each) {
        // The first one there.
        if (is_issuer(each->second, i)) issuer = std::min(issuer.value_or(each->second), each->second);
      }
      (issuer ? below_[*issuer] : tops_).push_back(i);
    }
  }

  std::string draw() {
    for (const std::size_t each : tops_) branch(each, "", "", 0);
    // Those that have issued each other in a circle.
    for (std::size_t i = 0; i < all_.size(); ++i) branch(i, "", "", 0);
    return std::move(out_);
  }

 private:
  // Deeper than any chain that is verified anywhere: from there on it goes straight down.
  static constexpr std::size_t kDepthMax = 16;

  bool is_issuer(std::size_t issuer, std::size_t of) const {
    return issuer != of && !x509::is_self_issued(all_[of]) && x509::is_named_issuer(all_[issuer], all_[of]) &&
           !x509::is_same(all_[issuer], all_[of]);
  }

  void branch(std::size_t i, const std::string& first, const std::string& rest, std::size_t depth) {
    if (is_drawn_[i]) return;
    is_drawn_[i] = true;
    out_ += line_of(all_[i], first);
    for (std::size_t k = 0; k < below_[i].size(); ++k) {
      const bool is_last = k + 1 == below_[i].size();
      const std::string deeper = depth < kDepthMax ? rest + (is_last ? "   " : "│  ") : rest;
      branch(below_[i][k], rest + (is_last ? "└─ " : "├─ "), deeper, depth + 1);
    }
  }

  std::string line_of(const x509::Certificate& each, const std::string& first) const {
    std::string state = "ends " + relative_time(each.not_after(), now_);
    if (each.not_after() <= now_) state = "EXPIRED " + relative_time(each.not_after(), now_);
    if (each.not_before() > now_) state = "not valid yet";
    std::string line = fmt::format("{}{} ({}", first, config::printable(short_name(each)), state);
    if (first.empty() && !x509::is_self_issued(each)) {
      line += ", issued by ";
      const std::string issuer = config::printable(x509::text_of(X509_get_issuer_name(each.native())));
      line += config::cut_text(issuer, std::max(kWidth - std::min(kWidth, line.size() + 1), kIssuerMin));
    }
    return line + ")\n";
  }

  const std::vector<x509::Certificate>& all_;
  WallTime now_;
  std::vector<std::vector<std::size_t>> below_;
  std::vector<std::size_t> tops_;
  std::vector<bool> is_drawn_;
  std::string out_;
};

}  // namespace

std::string short_name(const x509::Certificate& certificate) {
  const bool has_names = !certificate.dns_names().empty() || !certificate.ip_addresses().empty();
  if (has_names && X509_check_ca(certificate.native()) == 0) return certificate.label();
  const X509_NAME* subject = X509_get_subject_name(certificate.native());
  for (const int kind : {NID_commonName, NID_organizationalUnitName, NID_organizationName}) {
    if (std::string name = x509::entry_of(subject, kind); !name.empty()) return name;
  }
  std::string all = x509::text_of(subject);
  return all.empty() ? certificate.label() : all;
}

std::string certificate_text(const x509::CertificateFacts& facts, WallTime now) {
  std::string out;
  out += listed("names", facts.names);
  out += cert_field("subject", facts.subject.empty() ? "(empty)" : facts.subject);
  out += cert_field("issuer", facts.is_self_issued ? facts.issuer + " (itself)" : facts.issuer);
  out += cert_field("valid from", time_text(facts.not_before));
  const bool is_over = facts.not_after <= now;
  out += cert_field("valid until", fmt::format("{}, {}{}", time_text(facts.not_after), is_over ? "EXPIRED " : "",
                                               relative_time(facts.not_after, now)));
  out += cert_field("key", facts.key);
  out += cert_field("signature", facts.signature);
  out += cert_field("serial", facts.serial);
  const std::string length = facts.path_length ? fmt::format(", path length {}", *facts.path_length) : "";
  if (facts.is_authority) out += cert_field("authority", "yes" + length);
  out += listed("usage", facts.key_usage);
  out += listed("purposes", facts.purposes);
  out += listed("permitted", facts.permitted);
  out += listed("excluded", facts.excluded);
  out += listed("critical", facts.unknown_critical);
  out += fingerprint_lines("SHA-256", facts.sha256);
  out += fingerprint_lines("SHA-1", facts.sha1);
  out += cert_field("key pin", facts.key_pin);
  if (!facts.subject_key_id.empty()) out += cert_field("key id", facts.subject_key_id);
  if (!facts.authority_key_id.empty()) out += cert_field("issuer's key", facts.authority_key_id);
  out += lines("OCSP", facts.ocsp);
  out += lines("issuer at", facts.issuers);
  out += lines("CRL", facts.revocation_lists);
  out += listed("policies", facts.policies);
  if (facts.must_staple) out += cert_field("must staple", "yes");
  for (std::size_t i = 0; i < facts.timestamps.size(); ++i)
    out += cert_field(i == 0 ? "SCTs" : "",
                      fmt::format("{} by {}", time_text(facts.timestamps[i].time), facts.timestamps[i].log));
  return out;
}

std::string chain_tree(const std::vector<x509::Certificate>& certificates, WallTime now) {
  return Tree(certificates, now).draw();
}

std::string request_text(const x509::Request& request) {
  std::vector<std::string> names;
  if (const auto found = request.names()) {
    for (const x509::SubjectName& each : *found) names.push_back(x509::to_string(each));
  } else {
    names.push_back(found.error().context);
  }
  const std::string subject = x509::text_of(X509_REQ_get_subject_name(request.native()));
  return listed("names", names) + cert_field("subject", subject.empty() ? "(empty)" : subject) +
         cert_field("key", x509::describe_key(request.public_key())) +
         cert_field("signature", x509::signature_name(X509_REQ_get_signature_nid(request.native()))) +
         listed("asks for", request.other_extensions()) + cert_field("key pin", x509::key_pin(request.public_key()));
}

std::string revocation_list_text(X509_CRL* list, WallTime now) {
  constexpr std::size_t kShown = 20;
  const x509::RevocationListFacts facts = x509::facts_of(list, kShown);
  std::string out = cert_field("issuer", facts.issuer) + cert_field("updated", time_text(facts.updated));
  if (facts.next) {
    const bool is_over = *facts.next <= now;
    out += cert_field("next update", fmt::format("{}, {}{}", time_text(*facts.next), is_over ? "OVERDUE " : "",
                                                 relative_time(*facts.next, now)));
  }
  if (!facts.number.empty()) out += cert_field("number", facts.number);
  out += cert_field("signature", facts.signature);
  out += cert_field("revoked", std::to_string(facts.count));
  for (const auto& entry : facts.entries)
    out += cert_field("", fmt::format("{} at {}", entry.serial, time_text(entry.time)));
  if (facts.count > kShown) out += cert_field("", fmt::format("and {} more", facts.count - kShown));
  return out;
}

std::string key_text(EVP_PKEY* key, bool is_private) {
  return cert_field(is_private ? "private key" : "public key", x509::describe_key(key)) +
         cert_field("key pin", x509::key_pin(key));
}

std::string findings_text(const std::vector<x509::Finding>& findings, bool color) {
  static constexpr const char* kWords[] = {"note", "warning", "error"};
  static constexpr const char* kColors[] = {"\033[36m", "\033[33m", "\033[31m"};
  std::string out;
  for (const x509::Finding& each : findings) {
    const auto level = static_cast<std::size_t>(each.severity);
    std::string word = fmt::format("{:<14}", kWords[level]);
    std::string field = cert_field(kWords[level], fmt::format("{} [{}]", each.text, each.word), 0);
    if (color) field.replace(0, word.size(), fmt::format("{}{}\033[0m", kColors[level], word));
    out += field + cert_field("", each.remedy, 0);
  }
  return out;
}

}  // namespace rproxy::cli
