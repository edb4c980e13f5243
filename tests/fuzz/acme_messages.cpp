// Whatever an ACME server says: what is taken of it is bounded and printable, its URLs are URLs, and times are told as they were read.
#include "acme/messages.h"

#include <algorithm>

#include "acme/client.h"
#include "fuzz.h"
#include "jose/base64url.h"

namespace {

using namespace rproxy;

bool is_url(std::string_view text) {
  return text.starts_with("http") && text.size() <= 2048 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '"'; });
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  if (const auto directory = acme::parse_directory(text)) {
    FUZZ_CHECK(is_url(directory->new_nonce) && is_url(directory->new_account) && is_url(directory->new_order));
    FUZZ_CHECK(directory->renewal_info.empty() || is_url(directory->renewal_info));
  }
  if (const auto order = acme::parse_order(text)) {
    FUZZ_CHECK(is_url(order->finalize) && order->authorizations.size() <= 200);
    FUZZ_CHECK(std::ranges::all_of(order->authorizations, is_url));
  }
  if (const auto authorization = acme::parse_authorization(text)) {
    FUZZ_CHECK(is_printable(authorization->name) && authorization->challenges.size() <= 200);
  }
  (void)acme::parse_challenge(text);
  if (const auto info = acme::parse_renewal_info(text)) FUZZ_CHECK(info->start <= info->end);
  FUZZ_CHECK(is_printable(acme::parse_problem(text).text()));
  if (const auto time = acme::parse_time(text)) FUZZ_CHECK(acme::parse_time(acme::to_text(*time)) == time);
  if (const auto bytes = jose::decode_base64url(text)) FUZZ_CHECK(jose::encode_base64url(*bytes) == text);
  const auto wait = acme::retry_after(text, acme::WallTime{});
  FUZZ_CHECK(!wait || (wait->count() >= 0 && wait->count() <= 86'400));
  return 0;
}
