// Any split gives the same content and the same verdict.
#include <string>

#include "fuzz.h"
#include "http/chunked.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const http::ChunkLimits limits;
  const auto decode = [&](std::size_t step, std::string& content) {
    Arena arena;
    http::ChunkDecoder decoder(limits, arena);
    for (std::size_t begin = 0; begin < size; begin += step) {
      auto piece = text_of(data, size).substr(begin, step);
      while (!piece.empty()) {
        const auto taken = decoder.feed(piece);
        if (!taken) return 'e';
        FUZZ_CHECK(taken->consumed <= piece.size() && (taken->consumed > 0 || taken->done));
        content += taken->content;
        if (taken->done) return 'd';
        piece.remove_prefix(taken->consumed);
      }
    }
    return 'm';
  };
  std::string whole;
  std::string dripped;
  FUZZ_CHECK(decode(size + 1, whole) == decode(1, dripped));
  FUZZ_CHECK(whole == dripped);
  return 0;
}
