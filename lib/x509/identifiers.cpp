#include "x509/identifiers.h"

namespace rproxy::x509 {

std::string authority_key_id(const Certificate& certificate) {
  const ASN1_OCTET_STRING* const id = X509_get0_authority_key_id(certificate.native());
  if (id == nullptr) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(id)), static_cast<std::size_t>(ASN1_STRING_length(id))};
}

std::string serial_number(const Certificate& certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate.native());
  std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                    static_cast<std::size_t>(ASN1_STRING_length(serial)));
  if (!bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0) bytes.insert(0, 1, '\0');
  return bytes;
}

}  // namespace rproxy::x509
