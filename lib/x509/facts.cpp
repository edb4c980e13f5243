#include "x509/facts.h"

#include <fmt/format.h>
#include <openssl/ct.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "x509/extensions.h"
#include "x509/refusal.h"
#include "x509/subject_name.h"

namespace rproxy::x509 {
namespace {

std::string utf8_of(const ASN1_STRING* text) {
  unsigned char* made = nullptr;
  const int size = ASN1_STRING_to_UTF8(&made, text);
  if (size < 0) {
    ERR_clear_error();
    return std::string(view_of(text));
  }
  std::string copy(reinterpret_cast<char*>(made), static_cast<std::size_t>(size));
  OPENSSL_free(made);
  return copy;
}

std::string oid_name(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  // The short name, where OpenSSL has one.
  const int nid = OBJ_obj2nid(object);
  if (nid != NID_undef) return OBJ_nid2sn(nid);
  OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  return text.data();
}

std::string hex_of(std::string_view bytes, std::string_view between) {
  std::string out;
  for (const char each : bytes) {
    if (!out.empty()) out += between;
    out += fmt::format("{:02X}", static_cast<unsigned char>(each));
  }
  return out;
}

std::string base64_of(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string serial_text(const ASN1_INTEGER* serial) {
  const std::string hex = hex_of(view_of(serial), "");
  return (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "") + (hex.empty() ? "00" : hex);
}

// Of what comes out of a decoder with a function that frees it.
template <typename T, typename Free>
auto extension_of(const Certificate& certificate, int nid, Free free) {
  return std::unique_ptr<T, Free>(static_cast<T*>(X509_get_ext_d2i(certificate.native(), nid, nullptr, nullptr)), free);
}

void add_names(const STACK_OF(GENERAL_NAME) * names, std::vector<std::string>& out) {
  const int count = names != nullptr ? sk_GENERAL_NAME_num(names) : 0;
  for (int i = 0; i < count; ++i) out.push_back(text_of(sk_GENERAL_NAME_value(names, i)));
}

// URIs without their kind.
void add_uri(const GENERAL_NAME* name, std::vector<std::string>& out) {
  if (name->type == GEN_URI) out.emplace_back(view_of(name->d.uniformResourceIdentifier));
}

std::string subtree_text(const GENERAL_NAME* base) {
  if (base->type != GEN_IPADD) return text_of(base);
  const std::string_view bytes = view_of(base->d.iPAddress);
  const auto address = ip_from_bytes(bytes.substr(0, bytes.size() / 2));
  if (!address || bytes.size() % 2 != 0) return "IP:malformed";
  int bits = 0;
  for (const char each : bytes.substr(bytes.size() / 2)) bits += __builtin_popcount(static_cast<unsigned char>(each));
  return fmt::format("IP:{}/{}", address->to_string(), bits);
}

void add_subtrees(const STACK_OF(GENERAL_SUBTREE) * trees, std::vector<std::string>& out) {
  const int count = trees != nullptr ? sk_GENERAL_SUBTREE_num(trees) : 0;
  for (int i = 0; i < count; ++i) out.push_back(subtree_text(sk_GENERAL_SUBTREE_value(trees, i)->base));
}

void add_usages(const Certificate& certificate, CertificateFacts& facts) {
  static constexpr std::pair<std::uint32_t, const char*> kUsages[] = {{KU_DIGITAL_SIGNATURE, "digitalSignature"},
                                                                      {KU_NON_REPUDIATION, "nonRepudiation"},
                                                                      {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
                                                                      {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
                                                                      {KU_KEY_AGREEMENT, "keyAgreement"},
                                                                      {KU_KEY_CERT_SIGN, "keyCertSign"},
                                                                      {KU_CRL_SIGN, "cRLSign"},
                                                                      {KU_ENCIPHER_ONLY, "encipherOnly"},
                                                                      {KU_DECIPHER_ONLY, "decipherOnly"}};
  const std::uint32_t usage = X509_get_key_usage(certificate.native());
  // All of them: it does not say.
  for (const auto& [bit, name] : kUsages) {
    if (usage != UINT32_MAX && (usage & bit) != 0) facts.key_usage.emplace_back(name);
  }
  const auto purposes = extension_of<EXTENDED_KEY_USAGE>(certificate, NID_ext_key_usage,
                                                         [](EXTENDED_KEY_USAGE* all) { EXTENDED_KEY_USAGE_free(all); });
  const int count = purposes ? sk_ASN1_OBJECT_num(purposes.get()) : 0;
  for (int i = 0; i < count; ++i) facts.purposes.push_back(oid_name(sk_ASN1_OBJECT_value(purposes.get(), i)));
}

void add_constraints(const Certificate& certificate, CertificateFacts& facts) {
  facts.is_authority = X509_check_ca(certificate.native()) == 1;
  if (const long length = X509_get_pathlen(certificate.native()); length >= 0) facts.path_length = length;
  const auto names = extension_of<NAME_CONSTRAINTS>(certificate, NID_name_constraints,
                                                    [](NAME_CONSTRAINTS* all) { NAME_CONSTRAINTS_free(all); });
  if (!names) return;
  add_subtrees(names->permittedSubtrees, facts.permitted);
  add_subtrees(names->excludedSubtrees, facts.excluded);
}

void add_places(const Certificate& certificate, CertificateFacts& facts) {
  const auto access = extension_of<AUTHORITY_INFO_ACCESS>(
      certificate, NID_info_access, [](AUTHORITY_INFO_ACCESS* all) { AUTHORITY_INFO_ACCESS_free(all); });
  const int count = access ? sk_ACCESS_DESCRIPTION_num(access.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const ACCESS_DESCRIPTION* each = sk_ACCESS_DESCRIPTION_value(access.get(), i);
    const int method = OBJ_obj2nid(each->method);
    if (method == NID_ad_OCSP) add_uri(each->location, facts.ocsp);
    if (method == NID_ad_ca_issuers) add_uri(each->location, facts.issuers);
  }
  const auto points = extension_of<CRL_DIST_POINTS>(certificate, NID_crl_distribution_points,
                                                    [](CRL_DIST_POINTS* all) { CRL_DIST_POINTS_free(all); });
  const int point_count = points ? sk_DIST_POINT_num(points.get()) : 0;
  for (int i = 0; i < point_count; ++i) {
    const DIST_POINT_NAME* name = sk_DIST_POINT_value(points.get(), i)->distpoint;
    if (name == nullptr || name->type != 0) continue;
    for (int j = 0; j < sk_GENERAL_NAME_num(name->name.fullname); ++j)
      add_uri(sk_GENERAL_NAME_value(name->name.fullname, j), facts.revocation_lists);
  }
}

void add_policies(const Certificate& certificate, CertificateFacts& facts) {
  const auto policies = extension_of<CERTIFICATEPOLICIES>(
      certificate, NID_certificate_policies, [](CERTIFICATEPOLICIES* all) { CERTIFICATEPOLICIES_free(all); });
  const int count = policies ? sk_POLICYINFO_num(policies.get()) : 0;
  for (int i = 0; i < count; ++i) {
    std::array<char, 128> text{};
    OBJ_obj2txt(text.data(), static_cast<int>(text.size()), sk_POLICYINFO_value(policies.get(), i)->policyid, 1);
    facts.policies.emplace_back(text.data());
  }
}

void add_timestamps(const Certificate& certificate, CertificateFacts& facts) {
  const auto all =
      extension_of<STACK_OF(SCT)>(certificate, NID_ct_precert_scts, [](STACK_OF(SCT) * list) { SCT_LIST_free(list); });
  const int count = all ? sk_SCT_num(all.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const SCT* each = sk_SCT_value(all.get(), i);
    unsigned char* log = nullptr;
    const std::size_t size = SCT_get0_log_id(each, &log);
    // Of the far future are only those that somebody made up.
    const auto time = std::min<std::uint64_t>(SCT_get_timestamp(each), 253'402'300'799'000U) / 1000;
    constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch());
    facts.timestamps.push_back({base64_of({reinterpret_cast<char*>(log), size}),
                                WallTime{std::min(std::chrono::seconds{static_cast<std::int64_t>(time)}, kLast)}});
  }
}

void add_other(const Certificate& certificate, CertificateFacts& facts) {
  const int staple = X509_get_ext_by_NID(certificate.native(), NID_tlsfeature, -1);
  facts.must_staple = staple >= 0;
  const int count = X509_get_ext_count(certificate.native());
  for (int i = 0; i < count; ++i) {
    X509_EXTENSION* each = X509_get_ext(certificate.native(), i);
    if (X509_EXTENSION_get_critical(each) == 1 && X509_supported_extension(each) != 1)
      facts.unknown_critical.push_back(oid_name(X509_EXTENSION_get_object(each)));
  }
}

}  // namespace

std::string text_of(const X509_NAME* name) {
  std::string out;
  const int count = X509_NAME_entry_count(name);
  for (int i = 0; i < count; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    if (!out.empty()) out += ", ";
    out += oid_name(X509_NAME_ENTRY_get_object(entry)) + "=";
    for (const char c : utf8_of(X509_NAME_ENTRY_get_data(entry))) {
      // RFC 4514 2.4, so that no value passes for two.
      if (std::string_view("\"+,;<>\\").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string entry_of(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  return at < 0 ? std::string() : utf8_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string text_of(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_DNS:
      return "DNS:" + std::string(view_of(name->d.dNSName));
    case GEN_EMAIL:
      return "email:" + std::string(view_of(name->d.rfc822Name));
    case GEN_URI:
      return "URI:" + std::string(view_of(name->d.uniformResourceIdentifier));
    case GEN_IPADD: {
      const auto address = ip_from_bytes(view_of(name->d.iPAddress));
      return address ? "IP:" + address->to_string() : "IP:" + hex_of(view_of(name->d.iPAddress), "");
    }
    case GEN_DIRNAME:
      return "dirName:" + text_of(name->d.directoryName);
    case GEN_RID:
      return "RID:" + oid_name(name->d.registeredID);
    case GEN_OTHERNAME:
      return "otherName:" + oid_name(name->d.otherName->type_id);
    default:
      return "other";
  }
}

std::string signature_name(int signature_nid) {
  int digest = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(signature_nid, &digest, &key) != 1)
    return signature_nid == NID_undef ? "unknown" : OBJ_nid2ln(signature_nid);
  const std::string_view kind = key == NID_rsaEncryption          ? "RSA"
                                : key == NID_X9_62_id_ecPublicKey ? "ECDSA"
                                : key == NID_ED25519              ? "Ed25519"
                                : key == NID_rsassaPss            ? "RSA-PSS"
                                                                  : OBJ_nid2ln(key);
  if (digest == NID_undef) return std::string(kind);
  std::string hash = OBJ_nid2sn(digest);
  if (hash.starts_with("SHA") && !hash.starts_with("SHA3-")) hash.insert(3, "-");
  return fmt::format("{} with {}", kind, hash);
}

std::string fingerprint(const Certificate& certificate, const EVP_MD* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  X509_digest(certificate.native(), digest, bytes.data(), &size);
  return hex_of({reinterpret_cast<char*>(bytes.data()), size}, ":");
}

std::string key_pin(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (key == nullptr || i2d_PUBKEY_bio(out.get(), key) != 1) return {};
  const std::string der = take_text(out);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_Digest(der.data(), der.size(), bytes.data(), &size, EVP_sha256(), nullptr);
  return base64_of({reinterpret_cast<char*>(bytes.data()), size});
}

CertificateFacts facts_of(const Certificate& certificate) {
  X509* native = certificate.native();
  CertificateFacts facts;
  facts.subject = text_of(X509_get_subject_name(native));
  facts.issuer = text_of(X509_get_issuer_name(native));
  facts.serial = serial_text(X509_get0_serialNumber(native));
  facts.version = static_cast<int>(X509_get_version(native)) + 1;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(native, NID_subject_alt_name, nullptr, nullptr)));
  add_names(names.get(), facts.names);
  facts.not_before = certificate.not_before();
  facts.not_after = certificate.not_after();
  if (EVP_PKEY* key = X509_get0_pubkey(native); key != nullptr) {
    facts.key = describe_key(key);
    facts.key_bits = EVP_PKEY_get_bits(key);
    facts.key_pin = key_pin(key);
  } else {
    facts.key = "of a kind that is not known here";
  }
  facts.signature = signature_name(X509_get_signature_nid(native));
  facts.sha256 = fingerprint(certificate, EVP_sha256());
  facts.sha1 = fingerprint(certificate, EVP_sha1());
  facts.is_self_issued = certificate.may_have_issued(certificate);
  if (const auto* id = X509_get0_subject_key_id(native)) facts.subject_key_id = hex_of(view_of(id), ":");
  if (const auto* id = X509_get0_authority_key_id(native)) facts.authority_key_id = hex_of(view_of(id), ":");
  add_usages(certificate, facts);
  add_constraints(certificate, facts);
  add_places(certificate, facts);
  add_policies(certificate, facts);
  add_timestamps(certificate, facts);
  add_other(certificate, facts);
  ERR_clear_error();
  return facts;
}

RevocationListFacts facts_of(X509_CRL* list, std::size_t entries_max) {
  RevocationListFacts facts;
  facts.issuer = text_of(X509_CRL_get_issuer(list));
  facts.updated = wall_time(X509_CRL_get0_lastUpdate(list));
  if (const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list)) facts.next = wall_time(next);
  const std::unique_ptr<ASN1_INTEGER, FreeBy<ASN1_INTEGER_free>> number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)));
  if (number) facts.number = serial_text(number.get());
  facts.signature = signature_name(X509_CRL_get_signature_nid(list));
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(list);
  facts.count = revoked != nullptr ? static_cast<std::size_t>(sk_X509_REVOKED_num(revoked)) : 0;
  for (std::size_t i = 0; i < std::min(facts.count, entries_max); ++i) {
    const X509_REVOKED* each = sk_X509_REVOKED_value(revoked, static_cast<int>(i));
    facts.entries.push_back(
        {serial_text(X509_REVOKED_get0_serialNumber(each)), wall_time(X509_REVOKED_get0_revocationDate(each))});
  }
  ERR_clear_error();
  return facts;
}

}  // namespace rproxy::x509
