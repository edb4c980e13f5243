// Any bytes into each decoder, in one piece and in small ones: the same comes out, and never more than the limit. What did come out whole
// is encoded and read again.
#include <array>
#include <memory>
#include <string>

#include "codec/decoders.h"
#include "codec/encoders.h"
#include "fuzz.h"

namespace {

using namespace rproxy;
using namespace rproxy::codec;

constexpr std::uint64_t kOutputMax = 300'000;

struct Outcome {
  std::string content;
  ErrorCode error = ErrorCode::kInternal;
  bool is_whole = false;
};

std::shared_ptr<const Dictionary> dictionary() {
  static const auto made = Dictionary::make("{\"name\": \"value\", \"list\": [1, 2, 3]}\n<html><body></body></html>\n");
  return *made;
}

DecoderOptions options_of(Coding coding) {
  DecoderOptions options;
  options.coding = coding;
  options.expansion = {0, 0, kOutputMax};
  if (coding == Coding::kDcz) options.dictionary = dictionary();
  return options;
}

Outcome decode(Decoders& pool, Coding coding, std::string_view in, std::size_t step, std::size_t room) {
  auto decoder = pool.take(options_of(coding));
  FUZZ_CHECK(decoder);
  Outcome outcome;
  std::string out(room, '\0');
  while (true) {
    const auto piece = in.substr(0, step);
    const auto progress = (*decoder)->decode(piece, out, piece.size() == in.size());
    if (!progress) {
      outcome.error = progress.error().code;
      FUZZ_CHECK(outcome.error != ErrorCode::kInternal);
      break;
    }
    FUZZ_CHECK(progress->consumed <= piece.size() && progress->produced <= room);
    FUZZ_CHECK(progress->consumed + progress->produced > 0 || progress->done);
    outcome.content.append(out, 0, progress->produced);
    in.remove_prefix(progress->consumed);
    FUZZ_CHECK(outcome.content.size() <= kOutputMax);
    if (progress->done) {
      outcome.is_whole = true;
      break;
    }
  }
  FUZZ_CHECK(decoder->account().bytes_max() <= memory_bound(options_of(coding)));
  return outcome;
}

void check_round_trip(Decoders& decoders, Encoders& encoders, Coding coding, std::string_view content) {
  EncoderOptions options;
  options.coding = coding;
  options.level = static_cast<int>(content.size() % 6);
  options.dictionary = coding == Coding::kDcz ? dictionary() : nullptr;
  auto encoder = encoders.take(options);
  FUZZ_CHECK(encoder);
  std::string bytes(content.size() + content.size() / 2 + 1'000, '\0');
  const auto progress = (*encoder)->encode(content, bytes, Flush::kEnd);
  FUZZ_CHECK(progress && progress->done);
  bytes.resize(progress->produced);
  const auto back = decode(decoders, coding, bytes, bytes.size(), 4'096);
  FUZZ_CHECK(back.is_whole && back.content == content);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Kept from run to run, as a worker keeps them: nothing may be left of a broken stream.
  static Decoders decoders;
  static Encoders encoders;
  if (size == 0) return 0;
  constexpr std::array kAll{Coding::kGzip, Coding::kDeflate, Coding::kBrotli, Coding::kZstd, Coding::kDcz};
  const Coding coding = kAll[data[0] % kAll.size()];
  std::string in(text_of(data, size).substr(1));
  if (coding == Coding::kDcz && data[0] >= 128) {
    // Nobody guesses a digest.
    const auto& digest = dictionary()->sha256();
    in.insert(0, std::string("\x5e\x2a\x4d\x18\x20\0\0\0", 8) + std::string(digest.begin(), digest.end()));
  }
  const Outcome whole = decode(decoders, coding, in, in.size() + 1, 65'536);
  const Outcome dripped = decode(decoders, coding, in, 1 + size % 7, 1 + size % 500);
  // Of a frame that ends with an empty block libzstd compares the size with the one stated only where it has all of it at once.
  const bool is_zstd = coding == Coding::kZstd || coding == Coding::kDcz;
  FUZZ_CHECK(whole.is_whole == dripped.is_whole ||
             (is_zstd && !whole.is_whole && whole.error == ErrorCode::kBadResponse));
  if (!whole.is_whole) return 0;
  FUZZ_CHECK(whole.content == dripped.content);
  check_round_trip(decoders, encoders, coding, whole.content);
  return 0;
}
