// A stored answer's head as bytes: whatever is taken for one is the only encoding of what it says.
#include "cache/meta_codec.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  const auto meta = rproxy::cache::decode_meta(bytes);
  if (!meta) return 0;
  const auto again = rproxy::cache::encode(*meta);
  FUZZ_CHECK(again && *again == bytes);
  (void)meta->url();
  return 0;
}
