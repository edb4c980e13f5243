#include "x509/name_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "x509/facts.h"
#include "x509/refusal.h"

namespace rproxy::x509 {

struct NameRule::Word {
  std::string_view prefix;
  Kind kind;
  char separator;
};

constexpr NameRule::Word NameRule::kWords[] = {{"dns:", Kind::kDns, '.'},
                                               {"email:", Kind::kEmail, '@'},
                                               {"uri:", Kind::kUri, '/'},
                                               {"ip:", Kind::kIp, '\0'},
                                               {"cn:", Kind::kCommonName, '\0'},
                                               {"subject:", Kind::kSubject, ','},
                                               {"sha256:", Kind::kFingerprint, '\0'}};

namespace {

constexpr std::size_t kRuleMax = 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

// Which beginnings of the text the pattern so far stands for: no pattern takes longer than its length times the text's.
bool matches_pattern(std::string_view pattern, std::string_view text, char separator) {
  std::vector<bool> reached(text.size() + 1);
  reached[0] = true;
  while (!pattern.empty()) {
    const bool is_star = pattern.front() == '*';
    const bool crosses = pattern.starts_with("**") || separator == '\0';
    for (std::size_t i = 1; is_star && i <= text.size(); ++i) {
      if (reached[i - 1] && (crosses || text[i - 1] != separator)) reached[i] = true;
    }
    for (std::size_t i = text.size(); !is_star && i > 0; --i) {
      reached[i] = reached[i - 1] && text[i - 1] == pattern.front();
    }
    if (!is_star) reached[0] = false;
    pattern.remove_prefix(pattern.starts_with("**") ? 2 : 1);
  }
  return reached.back();
}

std::string hex_digits(std::string_view text) {
  std::string out = lower(text);
  std::erase(out, ':');
  return out;
}

}  // namespace

Result<NameRule> NameRule::parse(std::string_view text) {
  const auto* const word =
      std::ranges::find_if(kWords, [&](const Word& each) { return text.starts_with(each.prefix); });
  if (word == std::end(kWords))
    return refuse(
        "it begins with what it is of: \"dns:\", \"email:\", \"uri:\", \"ip:\", \"cn:\", \"subject:\" or \"sha256:\"");
  NameRule rule;
  rule.text_ = text;
  rule.kind_ = word->kind;
  rule.separator_ = word->separator;
  if (auto done = check(rule, text.substr(word->prefix.size())); !done) return fail(std::move(done.error()));
  return rule;
}

Result<void> NameRule::check(NameRule& rule, std::string_view value) {
  if (value.empty()) return refuse("there is nothing behind the kind");
  if (value.size() > kRuleMax) return refuse(fmt::format("at most {} characters", kRuleMax));
  if (rule.kind_ == Kind::kIp) {
    rule.network_ = IpNetwork::parse(value);
    if (!rule.network_) return refuse("no address or network: \"ip:10.0.0.0/8\" or \"ip:::1\"");
    return {};
  }
  if (rule.kind_ == Kind::kFingerprint) {
    rule.pattern_ = hex_digits(value);
    const bool is_digest =
        rule.pattern_.size() == 64 && rule.pattern_.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_digest) return refuse("a SHA-256 fingerprint has 64 hexadecimal digits");
    return {};
  }
  const bool has_case = rule.kind_ != Kind::kDns && rule.kind_ != Kind::kEmail;
  rule.pattern_ = has_case ? std::string(value) : lower(value);
  return {};
}

bool NameRule::fits(std::string_view text) const {
  const bool has_case = kind_ != Kind::kDns && kind_ != Kind::kEmail;
  return matches_pattern(pattern_, has_case ? std::string(text) : lower(text), separator_);
}

// Text with control characters is no name.
bool NameRule::fits_any(const CertificateNames& certificate, std::string_view prefix) const {
  return std::ranges::any_of(certificate.names, [&](std::string_view name) {
    const bool is_clean = std::ranges::all_of(name, [](char c) { return c >= ' ' && c < 0x7f; });
    return is_clean && name.starts_with(prefix) && fits(name.substr(prefix.size()));
  });
}

bool NameRule::matches(const CertificateNames& certificate) const {
  switch (kind_) {
    case Kind::kDns:
      return fits_any(certificate, "DNS:");
    case Kind::kEmail:
      return fits_any(certificate, "email:");
    case Kind::kUri:
      return fits_any(certificate, "URI:");
    case Kind::kIp:
      return std::ranges::any_of(certificate.ip_addresses,
                                 [this](const IpAddress& each) { return network_->contains(each); });
    case Kind::kCommonName:
      return fits(certificate.common_name);
    case Kind::kSubject:
      return fits(certificate.subject);
    case Kind::kFingerprint:
      return certificate.sha256 == pattern_;
  }
  return false;
}

bool matches_any(const NameRules& rules, const CertificateNames& certificate) {
  return rules.empty() || std::ranges::any_of(rules, [&](const NameRule& rule) { return rule.matches(certificate); });
}

CertificateNames CertificateNames::of(const Certificate& certificate) {
  CertificateFacts facts = facts_of(certificate);
  return {std::move(facts.names), certificate.ip_addresses(),
          entry_of(X509_get_subject_name(certificate.native()), NID_commonName), std::move(facts.subject),
          hex_digits(facts.sha256)};
}

}  // namespace rproxy::x509
