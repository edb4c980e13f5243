#include "jose/jws.h"

#include <fmt/format.h>

#include "jose/base64url.h"

namespace rproxy::jose {
namespace {

std::string flattened(std::string_view header, std::string_view payload, std::string_view signature) {
  return fmt::format(R"({{"protected":"{}","payload":"{}","signature":"{}"}})", header, payload,
                     encode_base64url(signature));
}

}  // namespace

Result<std::string> sign_flattened(const SigningKey& key, std::string_view header, std::string_view payload) {
  const std::string head = encode_base64url(header);
  const std::string body = encode_base64url(payload);
  const auto signature = key.sign(head + "." + body);
  if (!signature) return fail(signature.error());
  return flattened(head, body, *signature);
}

std::string sign_flattened_hmac(std::string_view key, std::string_view header, std::string_view payload) {
  const std::string head = encode_base64url(header);
  const std::string body = encode_base64url(payload);
  return flattened(head, body, hmac_sha256(key, head + "." + body));
}

}  // namespace rproxy::jose
