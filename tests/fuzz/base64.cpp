// Any split gives the same bytes and the same verdict; what decodes as one piece is what encoding gives.
#include <string>

#include "fuzz.h"
#include "http/base64.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto text = text_of(data, size);
  const auto decode = [&](std::size_t step, std::string& bytes) {
    http::Base64Decoder decoder;
    for (std::size_t begin = 0; begin < size; begin += step) {
      const auto piece = text.substr(begin, step);
      std::string out(http::Base64Decoder::size_max(piece.size()), '\0');
      const auto written = decoder.feed(piece, out.data());
      if (!written) return 'e';
      FUZZ_CHECK(*written <= out.size());
      bytes.append(out, 0, *written);
    }
    return decoder.is_complete() ? 'd' : 'm';
  };
  std::string whole;
  std::string dripped;
  const char verdict = decode(size + 1, whole);
  FUZZ_CHECK(verdict == decode(1, dripped));
  FUZZ_CHECK(verdict == 'e' || whole == dripped);
  const auto padding = text.find('=');
  if (verdict == 'd' && (padding == text.npos || padding + 2 >= size)) {
    std::string again(http::base64_size(whole.size()), '\0');
    FUZZ_CHECK(http::write_base64(again.data(), whole) == again.data() + again.size());
    FUZZ_CHECK(again == text);
  }
  std::string encoded(http::base64_size(size), '\0');
  http::write_base64(encoded.data(), text);
  http::Base64Decoder decoder;
  std::string back(http::Base64Decoder::size_max(encoded.size()), '\0');
  const auto written = decoder.feed(encoded, back.data());
  FUZZ_CHECK(written && decoder.is_complete() && std::string_view(back).substr(0, *written) == text);
  return 0;
}
