// Signed messages in the flattened JSON serialization (RFC 7515 7.2.2).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "jose/signing_key.h"

namespace rproxy::jose {

// `header` is the protected one, JSON with its "alg"; `payload` is any text. Errors: as of SigningKey::sign().
Result<std::string> sign_flattened(const SigningKey& key, std::string_view header, std::string_view payload);
// By HS256.
std::string sign_flattened_hmac(std::string_view key, std::string_view header, std::string_view payload);

}  // namespace rproxy::jose
