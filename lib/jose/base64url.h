// Base64 with the alphabet of URLs and without padding (RFC 4648 5, RFC 7515 2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rproxy::jose {

std::string encode_base64url(std::string_view bytes);

// Nothing where it is not such text, or where bits are set that decode to nothing.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace rproxy::jose
