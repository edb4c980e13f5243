#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <string>

#include "jose/base64url.h"
#include "jose/jws.h"
#include "jose/signing_key.h"
#include "x509/private_key.h"

namespace rproxy::jose {
namespace {

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

TEST(Base64url, IsRfc4648sWithoutPadding) {
  const struct {
    std::string bytes;
    std::string text;
  } cases[] = {{"", ""},
               {"f", "Zg"},
               {"fo", "Zm8"},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg"},
               {"fooba", "Zm9vYmE"},
               {"foobar", "Zm9vYmFy"},
               {"\xff\xfe\xfd", "__79"},
               // RFC 9773 4.1: the key of an issuer, a serial number.
               {bytes_of({0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3,
                          0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4}),
                "aYhba4dGQEHhs3uEe6CuLN4ByNQ"},
               {bytes_of({0x00, 0x87, 0x65, 0x43, 0x21}), "AIdlQyE"}};
  for (const auto& each : cases) {
    EXPECT_EQ(encode_base64url(each.bytes), each.text);
    EXPECT_EQ(decode_base64url(each.text), each.bytes);
  }
}

TEST(Base64url, RefusesWhatIsNone) {
  for (const std::string text : {"A", "Zg==", "Zm9+", "Zm9/", "Zm 9", "Zh", "Zm9", "AAAAA"})
    EXPECT_EQ(decode_base64url(text).has_value(), text == "Zm8") << text;
}

// RFC 7638 3.1.
TEST(SigningKey, HasTheThumbprintOfTheStandard) {
  const auto modulus = decode_base64url(
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
      "BJECPebWKRXjBZCiFV4n3oknjhMstn6"
      "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
      "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9"
      "1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw");
  ASSERT_TRUE(modulus);
  OSSL_PARAM_BLD* const build = OSSL_PARAM_BLD_new();
  BIGNUM* const n =
      BN_bin2bn(reinterpret_cast<const unsigned char*>(modulus->data()), static_cast<int>(modulus->size()), nullptr);
  BIGNUM* const e = BN_new();
  BN_set_word(e, 65537);
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
  OSSL_PARAM* const parameters = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* native = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(context), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(context, &native, EVP_PKEY_PUBLIC_KEY, parameters), 1);
  const auto key = SigningKey::create(x509::KeyPtr(native));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->algorithm(), "RS256");
  EXPECT_EQ(key->thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(build);
  BN_free(n);
  BN_free(e);
}

TEST(SigningKey, SignsByItsKind) {
  const struct {
    x509::KeyType type;
    std::string algorithm;
    std::size_t size;
  } cases[] = {{x509::KeyType::kEcP256, "ES256", 64},
               {x509::KeyType::kEcP384, "ES384", 96},
               {x509::KeyType::kRsa2048, "RS256", 256}};
  for (const auto& each : cases) {
    auto made = x509::generate_key(each.type);
    ASSERT_TRUE(made);
    const auto key = SigningKey::create(std::move(*made));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->algorithm(), each.algorithm);
    // Numbers that begin with zeros are as long as others.
    for (int i = 0; i < (each.size == 256 ? 2 : 300); ++i) {
      const auto signature = key->sign("input" + std::to_string(i));
      ASSERT_TRUE(signature);
      EXPECT_EQ(signature->size(), each.size);
    }
  }
  auto other = x509::generate_key(x509::KeyType::kEd25519);
  ASSERT_TRUE(other);
  EXPECT_EQ(SigningKey::create(std::move(*other)).error().code, ErrorCode::kConfig);
}

// RFC 7515 A.1.
TEST(Jws, IsTheStandardsByHmac) {
  const auto key =
      decode_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  EXPECT_EQ(
      sign_flattened_hmac(*key, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                          "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"),
      R"({"protected":"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9","payload":"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ","signature":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"})");
}

}  // namespace
}  // namespace rproxy::jose
