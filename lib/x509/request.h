// A certificate signing request (PKCS#10, RFC 2986): made, and read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "x509/handles.h"
#include "x509/issuing.h"
#include "x509/subject_name.h"

namespace rproxy::x509 {

class Request {
 public:
  struct Options {
    std::string common_name;  // authorities go by the names alone
    std::string organization;
    std::vector<SubjectName> names;
    bool must_staple = false;  // RFC 7633
  };

  // Signed with `key`. Errors: kConfig, kInternal.
  static Result<Request> create(const Options& options, EVP_PKEY* key);
  // PEM or DER, with a signature that is right. Errors: kConfig, naming `name`.
  static Result<Request> parse(std::string_view text, const std::string& name);

  std::string to_der() const;
  std::string to_pem() const;

  // What it asks for in its subjectAltName. Errors: kConfig where there is a name that is none, or of a kind that is not signed here.
  Result<std::vector<SubjectName>> names() const;
  std::string common_name() const;
  std::string organization() const;
  // What else is asked for, by name: what an authority that signs it may leave out.
  std::vector<std::string> other_extensions() const;

  EVP_PKEY* public_key() const { return X509_REQ_get0_pubkey(native()); }
  X509_REQ* native() const { return native_.get(); }

 private:
  explicit Request(X509_REQ* native) : native_(native, X509_REQ_free) {}
  std::shared_ptr<X509_REQ> native_;
};

}  // namespace rproxy::x509
