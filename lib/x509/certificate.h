// One X.509 certificate, parsed once and never changed: copies share it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "x509/handles.h"

namespace rproxy::x509 {

using WallTime = std::chrono::system_clock::time_point;

class Certificate {
 public:
  // Takes a certificate that parsed; reads its names and dates.
  explicit Certificate(X509Ptr parsed);

  // From the subjectAltName alone: what a common name says was never a promise (RFC 9525 6.4.4). Lower case; a wildcard only as the
  // whole first label. What is no host name is left out.
  const std::vector<std::string>& dns_names() const { return parsed_->dns_names; }
  const std::vector<IpAddress>& ip_addresses() const { return parsed_->ip_addresses; }

  WallTime not_before() const { return parsed_->not_before; }
  WallTime not_after() const { return parsed_->not_after; }

  // For messages: the first name, or the subject where there is none.
  std::string label() const;
  // RFC 9525 6.3: a wildcard stands for exactly one label, the first.
  bool covers(std::string_view dns_name) const;

  // By the names and usages, without the signature: whether `other` may follow it down a chain.
  bool may_have_issued(const Certificate& other) const;

  // OpenSSL's own; lives as long as any copy of this certificate.
  X509* native() const { return parsed_->native.get(); }

 private:
  struct Parsed {
    X509Ptr native;
    std::vector<std::string> dns_names;
    std::vector<IpAddress> ip_addresses;
    WallTime not_before;
    WallTime not_after;
  };
  std::shared_ptr<const Parsed> parsed_;
};

// The epoch where it can't be read; nothing is beyond the clock's end.
WallTime wall_time(const ASN1_TIME* time);

// When the certificate ends.
WallTime end_of(const X509* certificate);

// Four bytes or sixteen, as certificates have them; nothing: of another size.
std::optional<IpAddress> ip_from_bytes(std::string_view bytes);

// The name in lower case if it is a host name (letters, digits, '-', '_', labels of 1-63, 253 in all, no final dot); "" otherwise.
// With `wildcard` the first label may be "*".
std::string normal_dns_name(std::string_view name, bool wildcard = false);

}  // namespace rproxy::x509
