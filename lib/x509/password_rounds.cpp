#include "x509/password_rounds.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include <memory>

#include "x509/handles.h"

namespace rproxy::x509 {
namespace {

// A few times what is asked of PBKDF2 these days; seconds.
constexpr long kRoundsMax = 2'000'000;
// Of scrypt, whose memory OpenSSL bounds, and not how often it is gone through.
constexpr long kParallelMax = 16;

bool is_up_to(const ASN1_INTEGER* number, long max) {
  const long value = number != nullptr ? ASN1_INTEGER_get(number) : 0;
  return value >= 0 && value <= max;
}

template <typename T>
auto parameters(const X509_ALGOR* algorithm, const ASN1_ITEM* item, void (*free)(T*)) {
  const void* value = nullptr;
  int type = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  T* unpacked = type == V_ASN1_SEQUENCE
                    ? static_cast<T*>(ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), item))
                    : nullptr;
  return std::unique_ptr<T, void (*)(T*)>(unpacked, free);
}

int kind_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* kind = nullptr;
  X509_ALGOR_get0(&kind, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(kind);
}

bool is_algorithm_affordable(const X509_ALGOR* algorithm) {
  if (kind_of(algorithm) != NID_pbes2) {
    const auto old = parameters<PBEPARAM>(algorithm, ASN1_ITEM_rptr(PBEPARAM), PBEPARAM_free);
    return !old || is_up_to(old->iter, kRoundsMax);
  }
  const auto both = parameters<PBE2PARAM>(algorithm, ASN1_ITEM_rptr(PBE2PARAM), PBE2PARAM_free);
  if (!both) return true;
  if (kind_of(both->keyfunc) == NID_id_scrypt) {
    const auto scrypt = parameters<SCRYPT_PARAMS>(both->keyfunc, ASN1_ITEM_rptr(SCRYPT_PARAMS), SCRYPT_PARAMS_free);
    return !scrypt || is_up_to(scrypt->parallelizationParameter, kParallelMax);
  }
  const auto rounds = parameters<PBKDF2PARAM>(both->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM), PBKDF2PARAM_free);
  return !rounds || is_up_to(rounds->iter, kRoundsMax);
}

bool are_affordable(const STACK_OF(PKCS12_SAFEBAG) * bags) {
  const int count = bags != nullptr ? sk_PKCS12_SAFEBAG_num(bags) : 0;
  for (int i = 0; i < count; ++i) {
    const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
    const int kind = PKCS12_SAFEBAG_get_nid(bag);
    if (kind == NID_pkcs8ShroudedKeyBag && !x509::is_affordable(PKCS12_SAFEBAG_get0_pkcs8(bag))) return false;
    if (kind == NID_safeContentsBag && !are_affordable(PKCS12_SAFEBAG_get0_safes(bag))) return false;
  }
  return true;
}

struct BagsFree {
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
};

bool is_part_affordable(PKCS7* part, std::string_view password) {
  std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), BagsFree> bags;
  if (PKCS7_type_is_data(part)) {
    bags.reset(PKCS12_unpack_p7data(part));
  } else if (PKCS7_type_is_encrypted(part) && part->d.encrypted != nullptr) {
    if (!is_algorithm_affordable(part->d.encrypted->enc_data->algorithm)) return false;
    bags.reset(PKCS12_unpack_p7encdata(part, password.data(), -1));
  }
  return are_affordable(bags.get());
}

}  // namespace

bool is_affordable(const X509_SIG* encrypted_key) {
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(encrypted_key, &algorithm, nullptr);
  const bool is_fine = is_algorithm_affordable(algorithm);
  ERR_clear_error();
  return is_fine;
}

bool is_affordable(PKCS12* store, std::string_view password) {
  struct PartsFree {
    void operator()(STACK_OF(PKCS7) * parts) const { sk_PKCS7_pop_free(parts, PKCS7_free); }
  };
  const std::unique_ptr<STACK_OF(PKCS7), PartsFree> parts(PKCS12_unpack_authsafes(store));
  const int count = parts ? sk_PKCS7_num(parts.get()) : 0;
  bool is_fine = true;
  for (int i = 0; i < count && is_fine; ++i) is_fine = is_part_affordable(sk_PKCS7_value(parts.get(), i), password);
  ERR_clear_error();
  return is_fine;
}

bool is_check_affordable(const PKCS12* store) {
  const ASN1_INTEGER* rounds = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &rounds, store);
  return is_up_to(rounds, kRoundsMax);
}

}  // namespace rproxy::x509
