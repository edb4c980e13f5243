// What a TLS server answers to a hello means the same whatever comes behind it, and never turns into something else as more arrives.
#include "scan/hello.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto text = text_of(data, size);
  const scan::ServerAnswer whole = scan::ServerAnswer::parse(text);
  const std::size_t step = size / 64 + 1;
  for (std::size_t end = 0; end < size; end += step) {
    const scan::ServerAnswer part = scan::ServerAnswer::parse(text.substr(0, end));
    if (part.kind == scan::ServerAnswer::Kind::kMore) continue;
    FUZZ_CHECK(part.kind == whole.kind || part.kind == scan::ServerAnswer::Kind::kHello ||
               whole.kind == scan::ServerAnswer::Kind::kAlert);
    if (part.kind == scan::ServerAnswer::Kind::kHello && whole.kind == part.kind)
      FUZZ_CHECK(part.cipher == whole.cipher);
    break;
  }
  return 0;
}
