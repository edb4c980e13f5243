// A stream of exported answers: whatever it is cut into it says the same, and it gives no more than came.
#include "cache/export_stream.h"
#include "fuzz.h"

namespace {

using Reader = rproxy::cache::ExportReader;

struct Told {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::string error;
  bool operator==(const Told&) const = default;
};

Told read(std::string_view text, std::size_t piece) {
  Told told;
  Reader reader;
  for (;;) {
    const auto event = reader.next();
    if (!event) {
      told.error = event.error().context;
      break;
    }
    if (event->kind == Reader::Event::Kind::kContent) told.bytes += event->bytes.size();
    if (event->kind == Reader::Event::Kind::kEnd && text.empty()) break;
    if (event->kind != Reader::Event::Kind::kMore && event->kind != Reader::Event::Kind::kEnd) continue;
    if (text.empty()) {
      const auto finished = reader.finish();
      if (!finished) told.error = finished.error().context;
      break;
    }
    reader.feed(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
  }
  told.records = reader.records();
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = text_of(data, size);
  const Told whole = read(text, size + 1);
  FUZZ_CHECK(whole.bytes <= size);
  FUZZ_CHECK(whole == read(text, 1));
  FUZZ_CHECK(whole == read(text, 7));
  return 0;
}
