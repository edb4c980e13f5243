#include "x509/issuing.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

#include "x509/extensions.h"
#include "x509/private_key.h"
#include "x509/refusal.h"

namespace rproxy::x509 {
namespace {

// RFC 5280, appendix A: ub-common-name and ub-organization-name.
constexpr std::size_t kCommonNameMax = 64;

bool set_time(ASN1_TIME* to, WallTime time) {
  return ASN1_TIME_set(to, std::chrono::system_clock::to_time_t(time)) != nullptr;
}

// 128 bits from a generator, where RFC 5280 4.1.2.2 has room for 160 and the CA/B baseline asks for 64; never zero.
bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes[0] |= 1U;
  const std::unique_ptr<BIGNUM, FreeBy<BN_free>> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_extensions(X509* made, X509* issuer, const Profile& profile, EVP_PKEY* key) {
  const bool has_subject = X509_NAME_entry_count(X509_get_subject_name(made)) > 0;
  Extensions to(made, issuer);
  if (profile.authority) {
    to.authority(*profile.authority);
  } else {
    to.no_authority();
    to.purposes(profile.purposes, EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA);
  }
  to.key_identifiers();
  if (!profile.names.empty()) to.names(profile.names, !has_subject);
  for (const Extension& extension : profile.extensions) to.other(extension);
  return to.is_fine();
}

// Null where OpenSSL can't.
X509Ptr assemble(const Profile& profile, EVP_PKEY* key, X509* issuer) {
  X509Ptr made(X509_new());
  if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1 || !set_serial(made.get())) return nullptr;
  if (!set_time(X509_getm_notBefore(made.get()), profile.not_before)) return nullptr;
  if (!set_time(X509_getm_notAfter(made.get()), profile.not_after)) return nullptr;
  if (X509_set_pubkey(made.get(), key) != 1) return nullptr;
  if (!set_subject(X509_get_subject_name(made.get()), profile.common_name, profile.organization)) return nullptr;
  const X509_NAME* issuer_name = X509_get_subject_name(issuer != nullptr ? issuer : made.get());
  if (X509_set_issuer_name(made.get(), issuer_name) != 1) return nullptr;
  if (!add_extensions(made.get(), issuer != nullptr ? issuer : made.get(), profile, key)) return nullptr;
  return made;
}

Result<void> check(const Profile& profile, const EVP_PKEY* key) {
  if (profile.common_name.size() > kCommonNameMax || profile.organization.size() > kCommonNameMax)
    return refuse(fmt::format("common name and organization have room for {} characters", kCommonNameMax));
  if (profile.not_after <= profile.not_before) return refuse("it would end before it begins");
  if (profile.common_name.empty() && profile.names.empty()) return refuse("it would be for nobody: it takes a name");
  if (profile.authority && profile.common_name.empty()) return refuse("an authority takes a name");
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < 2048)
    return refuse(fmt::format("a key of {} bits is too short: RSA takes 2048", EVP_PKEY_get_bits(key)));
  return {};
}

// What verifiers would say of it later.
Result<void> check_issuer(const Profile& profile, const Issuer& issuer) {
  const Certificate& by = issuer.certificate;
  if (!is_same_key(X509_get0_pubkey(by.native()), issuer.key))
    return refuse(fmt::format("the private key does not belong to the authority {}", by.label()));
  if (X509_check_ca(by.native()) != 1) return refuse(fmt::format("{} is no authority: it may not issue", by.label()));
  if ((X509_get_key_usage(by.native()) & KU_KEY_CERT_SIGN) == 0)
    return refuse(fmt::format("the authority {} has no key usage keyCertSign", by.label()));
  if (profile.authority && X509_get_pathlen(by.native()) == 0)
    return refuse(fmt::format("the authority {} may have none below it (its path length is 0)", by.label()));
  if (profile.not_before < by.not_before())
    return refuse(fmt::format("it would begin before its authority, {}, does", by.label()));
  if (profile.not_after > by.not_after())
    return refuse(fmt::format("it would outlive its authority, {}: shorten its lifetime, or renew that", by.label()));
  return {};
}

Result<void> check_constraints(const Issuer& issuer, const Certificate& made) {
  using Pointer = std::unique_ptr<NAME_CONSTRAINTS, FreeBy<NAME_CONSTRAINTS_free>>;
  const Pointer constraints(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(issuer.certificate.native(), NID_name_constraints, nullptr, nullptr)));
  if (!constraints || X509_check_ca(made.native()) == 1) return {};
  const int judged = NAME_CONSTRAINTS_check(made.native(), constraints.get());
  ERR_clear_error();
  if (judged == X509_V_OK) return {};
  return refuse(fmt::format("the authority {} may not issue for all of these names: its name constraints forbid it",
                            issuer.certificate.label()));
}

Result<Certificate> sign(X509Ptr made, EVP_PKEY* with) {
  if (!made) return broken("can't make the certificate");
  if (X509_sign(made.get(), with, digest_for(with)) <= 0) return broken("can't sign the certificate");
  // Parsed anew, so that what OpenSSL keeps about it is of what was signed.
  X509Ptr copy(X509_dup(made.get()));
  if (!copy) return broken("can't make the certificate");
  ERR_clear_error();
  return Certificate(std::move(copy));
}

}  // namespace

std::string common_name_of(const std::vector<SubjectName>& names) {
  for (const SubjectName& name : names) {
    const bool is_host = name.kind == SubjectName::Kind::kDns || name.kind == SubjectName::Kind::kIp;
    if (is_host && name.text.size() <= kCommonNameMax) return name.text;
  }
  return {};
}

Result<Certificate> self_signed(const Profile& profile, EVP_PKEY* key) {
  if (auto fine = check(profile, key); !fine) return fail(std::move(fine.error()));
  return sign(assemble(profile, key, nullptr), key);
}

Result<Certificate> issue(const Profile& profile, EVP_PKEY* key, const Issuer& issuer) {
  if (auto fine = check(profile, key); !fine) return fail(std::move(fine.error()));
  if (auto fine = check_issuer(profile, issuer); !fine) return fail(std::move(fine.error()));
  auto made = sign(assemble(profile, key, issuer.certificate.native()), issuer.key);
  if (!made) return made;
  if (auto fine = check_constraints(issuer, *made); !fine) return fail(std::move(fine.error()));
  return made;
}

Result<Certificate> acme_alpn_certificate(const SubjectName& name, std::string_view digest, EVP_PKEY* key,
                                          WallTime now) {
  constexpr std::chrono::hours kDay{24};
  Profile profile;
  profile.common_name = "ACME challenge";
  profile.names = {name};
  profile.not_before = now - kDay;
  profile.not_after = now + 7 * kDay;
  // id-pe-acmeIdentifier: an OCTET STRING of 32 bytes.
  profile.extensions.push_back({"1.3.6.1.5.5.7.1.31", true, std::string("\x04\x20", 2) + std::string(digest)});
  if (digest.size() != 32) return refuse("the digest of a key authorization has 32 bytes");
  return self_signed(profile, key);
}

std::string to_pem(const Certificate& certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate.native());
  return take_text(out);
}

std::string to_der(const Certificate& certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  i2d_X509_bio(out.get(), certificate.native());
  return take_text(out);
}

}  // namespace rproxy::x509
