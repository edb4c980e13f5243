// The extensions of a certificate that is being made (RFC 5280 4.2). Of lib/x509 alone.
#pragma once

#include <string>
#include <vector>

#include "x509/handles.h"
#include "x509/issuing.h"
#include "x509/subject_name.h"

namespace rproxy::x509 {

class Extensions {
 public:
  // Both outlive it; the same for one that is signed by its own key.
  Extensions(X509* certificate, X509* issuer) : certificate_(certificate), issuer_(issuer) {}

  void authority(const Authority& authority);
  void no_authority() { text(NID_basic_constraints, "critical,CA:FALSE"); }
  void purposes(const Purposes& purposes, bool is_rsa);
  void key_identifiers();
  void names(const std::vector<SubjectName>& names, bool is_critical);
  void other(const Extension& extension);

  bool is_fine() const { return is_fine_; }

 private:
  void text(int kind, const std::string& value);
  void constraints(const NameConstraints& permitted);

  X509* certificate_;
  X509* issuer_;
  bool is_fine_ = true;
};

// Null where `oid` is none.
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeBy<X509_EXTENSION_free>>;
ExtensionPtr make_extension(const Extension& extension);

// Each left out where it is empty.
bool set_subject(X509_NAME* subject, const std::string& common_name, const std::string& organization);
// What a signature by that key is made over; null: it needs none.
const EVP_MD* digest_for(const EVP_PKEY* key);
std::string take_text(const BioPtr& bio);

}  // namespace rproxy::x509
