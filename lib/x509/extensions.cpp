#include "x509/extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace rproxy::x509 {
namespace {

bool add_entry(X509_NAME* subject, int kind, const std::string& text) {
  if (text.empty()) return true;
  return X509_NAME_add_entry_by_NID(subject, kind, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

// Address and mask behind each other (RFC 5280 4.2.1.10).
ASN1_OCTET_STRING* network_bytes(const IpNetwork& network) {
  const bool is_v4 = network.address.is_v4() && network.prefix >= 96;
  const std::size_t begin = is_v4 ? 12 : 0;
  std::array<unsigned char, 32> bytes{};
  std::size_t size = 0;
  for (std::size_t i = begin; i < 16; ++i) bytes[size++] = network.address.bytes[i];
  for (std::size_t i = begin; i < 16; ++i) {
    const int bits = std::clamp(static_cast<int>(network.prefix) - static_cast<int>(8 * i), 0, 8);
    bytes[size++] = static_cast<unsigned char>(0xff00U >> static_cast<unsigned>(bits));
  }
  ASN1_OCTET_STRING* made = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(made, bytes.data(), static_cast<int>(size));
  return made;
}

ASN1_IA5STRING* text_bytes(std::string_view text) {
  ASN1_IA5STRING* made = ASN1_IA5STRING_new();
  ASN1_STRING_set(made, text.data(), static_cast<int>(text.size()));
  return made;
}

void push(STACK_OF(GENERAL_SUBTREE) * &trees, int kind, ASN1_STRING* value) {
  if (trees == nullptr) trees = sk_GENERAL_SUBTREE_new_null();
  GENERAL_SUBTREE* tree = GENERAL_SUBTREE_new();
  GENERAL_NAME_set0_value(tree->base, kind, value);
  sk_GENERAL_SUBTREE_push(trees, tree);
}

}  // namespace

void Extensions::text(int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer_, certificate_, nullptr, nullptr, 0);
  const ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  is_fine_ = is_fine_ && made && X509_add_ext(certificate_, made.get(), -1) == 1;
}

void Extensions::authority(const Authority& authority) {
  const std::string length = authority.path_length ? fmt::format(",pathlen:{}", *authority.path_length) : "";
  text(NID_basic_constraints, "critical,CA:TRUE" + length);
  text(NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!authority.permitted.empty()) constraints(authority.permitted);
}

void Extensions::constraints(const NameConstraints& permitted) {
  using Pointer = std::unique_ptr<NAME_CONSTRAINTS, FreeBy<NAME_CONSTRAINTS_free>>;
  const Pointer made(NAME_CONSTRAINTS_new());
  for (const std::string& name : permitted.dns) push(made->permittedSubtrees, GEN_DNS, text_bytes(name));
  for (const IpNetwork& network : permitted.networks) push(made->permittedSubtrees, GEN_IPADD, network_bytes(network));
  // A kind of which nothing is said is free: that of addresses would be the way around host names.
  if (permitted.dns.empty()) push(made->excludedSubtrees, GEN_DNS, text_bytes(""));
  if (permitted.networks.empty()) {
    push(made->excludedSubtrees, GEN_IPADD, network_bytes({*IpAddress::parse("0.0.0.0"), 96}));
    push(made->excludedSubtrees, GEN_IPADD, network_bytes({IpAddress{}, 0}));
  }
  is_fine_ = is_fine_ && X509_add1_ext_i2d(certificate_, NID_name_constraints, made.get(), 1, X509V3_ADD_DEFAULT) == 1;
}

void Extensions::purposes(const Purposes& purposes, bool is_rsa) {
  // TLS 1.2 without ephemeral keys, which RSA alone has.
  text(NID_key_usage,
       is_rsa && purposes.server ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
  const std::string server = purposes.server ? "serverAuth" : "";
  const std::string client = purposes.client ? "clientAuth" : "";
  text(NID_ext_key_usage, server + (purposes.server && purposes.client ? "," : "") + client);
}

void Extensions::key_identifiers() {
  text(NID_subject_key_identifier, "hash");
  text(NID_authority_key_identifier, "keyid:always");
}

void Extensions::names(const std::vector<SubjectName>& names, bool is_critical) {
  const GeneralNamesPtr all = to_general_names(names);
  is_fine_ = is_fine_ && X509_add1_ext_i2d(certificate_, NID_subject_alt_name, all.get(), is_critical ? 1 : 0,
                                           X509V3_ADD_DEFAULT) == 1;
}

void Extensions::other(const Extension& extension) {
  const ExtensionPtr made = make_extension(extension);
  is_fine_ = is_fine_ && made && X509_add_ext(certificate_, made.get(), -1) == 1;
}

ExtensionPtr make_extension(const Extension& extension) {
  const std::unique_ptr<ASN1_OBJECT, FreeBy<ASN1_OBJECT_free>> oid(OBJ_txt2obj(extension.oid.c_str(), 1));
  const std::unique_ptr<ASN1_OCTET_STRING, FreeBy<ASN1_OCTET_STRING_free>> value(ASN1_OCTET_STRING_new());
  if (!oid || !value) return nullptr;
  ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(extension.der.data()),
                        static_cast<int>(extension.der.size()));
  return ExtensionPtr(X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), extension.is_critical ? 1 : 0, value.get()));
}

bool set_subject(X509_NAME* subject, const std::string& common_name, const std::string& organization) {
  return add_entry(subject, NID_organizationName, organization) && add_entry(subject, NID_commonName, common_name);
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 || EVP_PKEY_get_base_id(key) == EVP_PKEY_ED448) return nullptr;
  // As strong as the curve.
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256) return EVP_sha384();
  return EVP_sha256();
}

std::string take_text(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

}  // namespace rproxy::x509
