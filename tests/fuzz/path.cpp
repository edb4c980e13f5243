// A normal path is one: normalising again changes nothing, and no dot segment is left.
#include "http/path.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  if (size == 0 || data[0] != '/') return 0;
  for (int i = 0; i < 9; ++i) {
    http::PathPolicy policy;
    policy.duplicate_slashes = static_cast<http::PathPolicy::Slashes>(i / 3);
    policy.encoded_slash = static_cast<http::PathPolicy::EncodedSlash>(i % 4);
    Arena arena;
    const auto once = http::normalize_path(text_of(data, size), policy, arena);
    if (!once) continue;
    const auto twice = http::normalize_path(*once, policy, arena);
    FUZZ_CHECK(twice && *twice == *once);
    FUZZ_CHECK(once->find("/../") == std::string_view::npos && !once->ends_with("/.."));
    FUZZ_CHECK(once->find("/./") == std::string_view::npos && !once->ends_with("/."));
  }
  return 0;
}
