#include "x509/subject_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/address.h"
#include "x509/certificate.h"
#include "x509/refusal.h"

namespace rproxy::x509 {
namespace {

using Kind = SubjectName::Kind;
struct Prefix {
  std::string_view text;
  Kind kind;
};
constexpr Prefix kPrefixes[] = {
    {"DNS:", Kind::kDns}, {"IP:", Kind::kIp}, {"URI:", Kind::kUri}, {"email:", Kind::kEmail}};

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

Kind kind_of(std::string_view text) {
  if (text.find("://") != text.npos) return Kind::kUri;
  if (text.starts_with('[') || IpAddress::parse(text)) return Kind::kIp;
  if (text.find('@') != text.npos) return Kind::kEmail;
  return Kind::kDns;
}

Result<SubjectName> dns_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  std::string name = normal_dns_name(text, true);
  if (!name.empty()) return SubjectName{Kind::kDns, std::move(name)};
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return refuse(fmt::format("{}: certificates have such names in punycode; write it as xn--...", text));
  if (text.find('*') != text.npos)
    return refuse(fmt::format("{}: a wildcard is a whole first label, as in *.shop.com", text));
  if (text.find('/') != text.npos || text.find(':') != text.npos)
    return refuse(fmt::format("{}: that is no host name; leave out port and path", text));
  return refuse(fmt::format("{}: that is no host name", text));
}

Result<SubjectName> ip_name(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto address = IpAddress::parse(text);
  if (!address) return refuse(fmt::format("{}: that is no IP address", text));
  return SubjectName{Kind::kIp, address->to_string()};
}

// RFC 5280 4.2.1.6: absolute, with a scheme and what it names; in ASCII.
Result<SubjectName> uri_name(std::string_view text) {
  const auto colon = text.find(':');
  const bool has_scheme = colon != text.npos && colon > 0 && colon + 1 < text.size() &&
                          std::ranges::all_of(text.substr(0, colon), [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                   c == '+' || c == '-' || c == '.';
                          });
  if (!has_scheme || !is_visible_ascii(text)) return refuse(fmt::format("{}: that is no absolute URI", text));
  return SubjectName{Kind::kUri, std::string(text)};
}

Result<SubjectName> email_name(std::string_view text) {
  const auto at = text.rfind('@');
  const bool is_address = at != text.npos && at > 0 && is_visible_ascii(text);
  std::string domain = is_address ? normal_dns_name(text.substr(at + 1)) : std::string();
  if (domain.empty()) return refuse(fmt::format("{}: that is no mail address in ASCII", text));
  return SubjectName{Kind::kEmail, std::string(text.substr(0, at + 1)) + domain};
}

GENERAL_NAME* to_general_name(const SubjectName& name) {
  GENERAL_NAME* made = GENERAL_NAME_new();
  if (name.kind == Kind::kIp) {
    GENERAL_NAME_set0_value(made, GEN_IPADD, a2i_IPADDRESS(name.text.c_str()));
    return made;
  }
  ASN1_IA5STRING* text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, name.text.data(), static_cast<int>(name.text.size()));
  const int type = name.kind == Kind::kDns ? GEN_DNS : name.kind == Kind::kUri ? GEN_URI : GEN_EMAIL;
  GENERAL_NAME_set0_value(made, type, text);
  return made;
}

}  // namespace

Result<SubjectName> SubjectName::parse(std::string_view text) {
  std::optional<Kind> kind;
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.text)) continue;
    kind = prefix.kind;
    text.remove_prefix(prefix.text.size());
    break;
  }
  switch (kind.value_or(kind_of(text))) {
    case Kind::kDns:
      return dns_name(text);
    case Kind::kIp:
      return ip_name(text);
    case Kind::kUri:
      return uri_name(text);
    case Kind::kEmail:
      return email_name(text);
  }
  return refuse("no such kind of name");
}

std::string to_string(const SubjectName& name) {
  const auto* prefix = std::ranges::find(kPrefixes, name.kind, &Prefix::kind);
  return std::string(prefix->text) + name.text;
}

GeneralNamesPtr to_general_names(const std::vector<SubjectName>& names) {
  GeneralNamesPtr all(GENERAL_NAMES_new());
  for (const SubjectName& name : names) sk_GENERAL_NAME_push(all.get(), to_general_name(name));
  return all;
}

}  // namespace rproxy::x509
