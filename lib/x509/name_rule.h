// Which certificates are meant, by what they say of their owner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "x509/certificate.h"

namespace rproxy::x509 {

// What rules look at.
struct CertificateNames {
  std::vector<std::string> names;  // subjectAltName: "DNS:shop.com", "URI:spiffe://shop.com/cart"
  std::vector<IpAddress> ip_addresses;
  std::string common_name;
  std::string subject;  // "O=Shop, CN=cart"
  std::string sha256;   // the fingerprint, 64 hexadecimal digits in lower case

  static CertificateNames of(const Certificate& certificate);
};

// One name of the subjectAltName, or the subject, as a pattern. "*" stands for any text without the kind's separator ('.' in host names, '/' in
// URIs, '@' in mail addresses, ',' in subjects), "**" for any text.
class NameRule {
 public:
  // "dns:*.clients.shop.com", "email:*@shop.com", "uri:spiffe://shop.com/ns/*", "ip:10.0.0.0/8", "cn:billing", "subject:O=Shop, CN=*" (as
  // `rproxy cert show` has it), "sha256:" and the certificate's fingerprint in hexadecimal, colons or not. Errors: kConfig, with what to write.
  static Result<NameRule> parse(std::string_view text);

  bool matches(const CertificateNames& certificate) const;
  // As it was written.
  const std::string& text() const { return text_; }
  bool operator==(const NameRule& other) const { return text_ == other.text_; }

 private:
  enum class Kind : std::uint8_t { kDns, kEmail, kUri, kIp, kCommonName, kSubject, kFingerprint };
  struct Word;
  static const Word kWords[];
  static Result<void> check(NameRule& rule, std::string_view value);
  bool fits(std::string_view text) const;
  bool fits_any(const CertificateNames& certificate, std::string_view prefix) const;

  std::string text_;
  Kind kind_ = Kind::kDns;
  char separator_ = '.';
  std::string pattern_;  // in lower case where the kind has no case
  std::optional<IpNetwork> network_;
};

using NameRules = std::vector<NameRule>;
// Any of them; none: all certificates.
bool matches_any(const NameRules& rules, const CertificateNames& certificate);

}  // namespace rproxy::x509
