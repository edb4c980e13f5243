#include "x509/certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "x509/refusal.h"
#include "x509/subject_name.h"

namespace rproxy::x509 {
namespace {

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::string take_openssl_reason() {
  const unsigned long code = ERR_peek_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  std::string text = reason != nullptr ? reason : "unknown error";
  ERR_clear_error();
  return text;
}

WallTime wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  // A date that can't be read is one that never was valid.
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  // The clock ends in 2262; "no end" is written as the year 9999 (RFC 5280 4.1.2.5). From 1970 to there any two differ by what fits.
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch());
  return WallTime{std::clamp(std::chrono::seconds{::timegm(&parts)}, std::chrono::seconds{0}, kLast)};
}

std::optional<IpAddress> ip_from_bytes(std::string_view bytes) {
  IpAddress address;
  if (bytes.size() == 16) {
    std::memcpy(address.bytes.data(), bytes.data(), 16);
    return address;
  }
  if (bytes.size() != 4) return std::nullopt;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::memcpy(address.bytes.data() + 12, bytes.data(), 4);
  return address;
}

std::string normal_dns_name(std::string_view name, bool wildcard) {
  constexpr std::size_t kNameMax = 253;
  if (name.empty() || name.size() > kNameMax) return {};
  std::string_view rest = name;
  if (wildcard && rest.starts_with("*.")) rest.remove_prefix(2);
  for (;;) {
    const auto dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) return {};
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  std::string normal(name);
  for (char& c : normal) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return normal;
}

Certificate::Certificate(X509Ptr parsed) {
  auto made = std::make_shared<Parsed>();
  made->native = std::move(parsed);
  X509* native = made->native.get();
  made->not_before = wall_time(X509_get0_notBefore(native));
  made->not_after = wall_time(X509_get0_notAfter(native));
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(native, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      if (auto text = normal_dns_name(view_of(name->d.dNSName), true); !text.empty()) {
        made->dns_names.push_back(std::move(text));
      }
    } else if (name->type == GEN_IPADD) {
      if (auto address = ip_from_bytes(view_of(name->d.iPAddress))) made->ip_addresses.push_back(*address);
    }
  }
  parsed_ = std::move(made);
}

std::string Certificate::label() const {
  if (!dns_names().empty()) return dns_names().front();
  if (!ip_addresses().empty()) return ip_addresses().front().to_string();
  const BioPtr text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), X509_get_subject_name(native()), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

bool Certificate::may_have_issued(const Certificate& other) const {
  return X509_check_issued(native(), other.native()) == X509_V_OK;
}

bool Certificate::covers(std::string_view dns_name) const {
  const std::string name = normal_dns_name(dns_name);
  if (name.empty()) return false;
  const auto dot = name.find('.');
  const std::string wildcard = dot == std::string::npos ? std::string() : "*" + name.substr(dot);
  return std::any_of(dns_names().begin(), dns_names().end(),
                     [&](const std::string& own) { return own == name || own == wildcard; });
}

WallTime end_of(const X509* certificate) { return wall_time(X509_get0_notAfter(certificate)); }

}  // namespace rproxy::x509
