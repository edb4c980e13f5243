// The certificate that a client has shown and the listener has verified; one per connection.
#pragma once

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
  // What upstreams are told, made once; whose format the second is.
  mutable std::string told;
  mutable int told_format = -1;
};

}  // namespace rproxy::exchange
