#include "x509/request.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <optional>
#include <utility>

#include "base/address.h"
#include "x509/extensions.h"
#include "x509/facts.h"
#include "x509/refusal.h"

namespace rproxy::x509 {
namespace {

struct ExtensionsFree {
  void operator()(STACK_OF(X509_EXTENSION) * all) const { sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free); }
};
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionsFree>;
using RequestPtr = std::unique_ptr<X509_REQ, FreeBy<X509_REQ_free>>;

bool add_extensions(X509_REQ* request, const Request::Options& options) {
  STACK_OF(X509_EXTENSION)* all = nullptr;
  bool is_fine = true;
  if (!options.names.empty()) {
    const GeneralNamesPtr names = to_general_names(options.names);
    is_fine = X509V3_add1_i2d(&all, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
  }
  if (options.must_staple) {
    // A SEQUENCE of the TLS extension status_request (5).
    ExtensionPtr staple = make_extension({"1.3.6.1.5.5.7.1.24", false, std::string("\x30\x03\x02\x01\x05", 5)});
    is_fine = is_fine && staple && X509v3_add_ext(&all, staple.get(), -1) != nullptr;
  }
  const ExtensionsPtr owned(all);
  return is_fine && (all == nullptr || X509_REQ_add_extensions(request, all) == 1);
}

std::optional<SubjectName> name_of(const GENERAL_NAME* name) {
  Result<SubjectName> parsed = fail(ErrorCode::kConfig, Side::kLocal);
  if (name->type == GEN_DNS) parsed = SubjectName::parse("DNS:" + std::string(view_of(name->d.dNSName)));
  if (name->type == GEN_URI)
    parsed = SubjectName::parse("URI:" + std::string(view_of(name->d.uniformResourceIdentifier)));
  if (name->type == GEN_EMAIL) parsed = SubjectName::parse("email:" + std::string(view_of(name->d.rfc822Name)));
  if (name->type == GEN_IPADD) {
    if (const auto address = ip_from_bytes(view_of(name->d.iPAddress)))
      parsed = SubjectName{SubjectName::Kind::kIp, address->to_string()};
  }
  return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

}  // namespace

Result<Request> Request::create(const Options& options, EVP_PKEY* key) {
  Request made(X509_REQ_new());
  if (!made.native_ || X509_REQ_set_version(made.native(), X509_REQ_VERSION_1) != 1)
    return broken("can't make a request");
  if (!set_subject(X509_REQ_get_subject_name(made.native()), options.common_name, options.organization))
    return refuse("common name and organization are UTF-8, 64 characters at most");
  if (X509_REQ_set_pubkey(made.native(), key) != 1 || !add_extensions(made.native(), options))
    return broken("can't make a request");
  if (X509_REQ_sign(made.native(), key, digest_for(key)) <= 0) return broken("can't sign the request");
  return made;
}

Result<Request> Request::parse(std::string_view text, const std::string& name) {
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const bool is_pem = text.find("-----BEGIN ") != text.npos;
  Request parsed(is_pem ? PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr)
                        : d2i_X509_REQ_bio(bio.get(), nullptr));
  if (!parsed.native_) return refuse(fmt::format("{}: no certificate request in PEM or DER", name));
  EVP_PKEY* key = parsed.public_key();
  if (key == nullptr || X509_REQ_verify(parsed.native(), key) != 1)
    return refuse(fmt::format("{}: the request is not signed by the key that is in it", name));
  ERR_clear_error();
  return parsed;
}

std::string Request::to_der() const {
  const BioPtr out(BIO_new(BIO_s_mem()));
  i2d_X509_REQ_bio(out.get(), native());
  return take_text(out);
}

std::string Request::to_pem() const {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(out.get(), native());
  return take_text(out);
}

Result<std::vector<SubjectName>> Request::names() const {
  const ExtensionsPtr all(X509_REQ_get_extensions(native()));
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(all.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<SubjectName> found;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    auto name = name_of(sk_GENERAL_NAME_value(names.get(), i));
    if (!name)
      return refuse(fmt::format("name {} of the request is none that is signed here (DNS, IP, URI, email)", i + 1));
    found.push_back(std::move(*name));
  }
  ERR_clear_error();
  return found;
}

std::string Request::common_name() const { return entry_of(X509_REQ_get_subject_name(native()), NID_commonName); }

std::string Request::organization() const {
  return entry_of(X509_REQ_get_subject_name(native()), NID_organizationName);
}

std::vector<std::string> Request::other_extensions() const {
  const ExtensionsPtr all(X509_REQ_get_extensions(native()));
  std::vector<std::string> found;
  const int count = all ? sk_X509_EXTENSION_num(all.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const ASN1_OBJECT* kind = X509_EXTENSION_get_object(sk_X509_EXTENSION_value(all.get(), i));
    if (OBJ_obj2nid(kind) == NID_subject_alt_name) continue;
    std::array<char, 80> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), kind, 0);
    found.emplace_back(text.data());
  }
  ERR_clear_error();
  return found;
}

}  // namespace rproxy::x509
