// Private keys: made, written as PKCS#8, read from PEM or DER.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "x509/handles.h"
#include "x509/secret.h"

namespace rproxy::x509 {

enum class KeyType : std::uint8_t { kEcP256, kEcP384, kRsa2048, kRsa3072, kRsa4096, kEd25519 };

// "p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519".
std::optional<KeyType> parse_key_type(std::string_view text);
std::string_view to_string(KeyType type);

// Nothing: it is of another type.
std::optional<KeyType> key_type_of(const EVP_PKEY* key);

// Takes a while for RSA. Errors: kInternal, where OpenSSL can't.
Result<KeyPtr> generate_key(KeyType type);

// PKCS#8 in PEM; with a password encrypted by AES-256, the key of that by PBKDF2.
Result<Secret> private_key_pem(const EVP_PKEY* key, std::string_view password = {});
Result<Secret> private_key_der(const EVP_PKEY* key, std::string_view password = {});

// Asked once, and only where a password is needed; nothing: there is none.
using PasswordSource = std::function<std::optional<Secret>()>;

// One in PEM, of any of the forms that OpenSSL writes, or in DER (PKCS#8, PKCS#1, SEC 1). Errors: kConfig, naming `name`.
Result<KeyPtr> parse_private_key(std::string_view text, const std::string& name, const PasswordSource& password = {});

// "ECDSA P-256", "RSA 2048", "Ed25519"; of what is none of these, OpenSSL's name and the bits.
std::string describe_key(const EVP_PKEY* key);

// Whether both have the same public part.
bool is_same_key(const EVP_PKEY* left, const EVP_PKEY* right);

}  // namespace rproxy::x509
