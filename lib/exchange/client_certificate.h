// The certificate that a client has shown and the listener has verified; one per connection.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "x509/certificate.h"
#include "x509/name_rule.h"

namespace rproxy::exchange {

struct ClientCertificate {
  explicit ClientCertificate(x509::Certificate shown)
      : certificate(std::move(shown)), names(x509::CertificateNames::of(certificate)) {}

  // For logs: the common name, or the first of the others.
  std::string_view label() const {
    if (!names.common_name.empty() || names.names.empty()) return names.common_name;
    return names.names.front();
  }

  x509::Certificate certificate;
  x509::CertificateNames names;
  // What upstreams are told, made once in each format; requests have views of it.
  static constexpr std::size_t kFormats = 3;
  mutable std::array<std::string, kFormats> told;
};

}  // namespace rproxy::exchange
