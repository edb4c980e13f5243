// Any split of the bytes gives the same verdict.
#include "fuzz.h"
#include "http/head_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto bytes = text_of(data, size);
  const http::HeadLimits limits;
  const auto parse = [&](std::size_t step, http::ResponseHead& head) {
    http::ResponseHeadParser parser(head, limits, http::Method::kGet);
    for (std::size_t end = step;; end += step) {
      const auto progress = parser.feed(bytes.substr(0, end));
      if (!progress) return -1L;
      if (*progress == http::ParseProgress::kDone) return static_cast<long>(parser.consumed());
      if (end >= size) return -2L;
    }
  };
  http::ResponseHead whole;
  http::ResponseHead dripped;
  FUZZ_CHECK(parse(size + 1, whole) == parse(1, dripped));
  return 0;
}
