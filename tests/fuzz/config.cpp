// Any text gives a configuration or diagnostics that can be shown.
#include "config/load.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto nothing = [](std::string_view) { return std::optional<std::string>(); };
  const auto loaded = config::load_text("fuzz.toml", std::string(text_of(data, size)), nothing);
  // Whatever the text holds, a terminal gets text.
  for (const auto& diagnostic : loaded.diagnostics) {
    for (const char c : config::render(diagnostic, false)) {
      const auto byte = static_cast<unsigned char>(c);
      FUZZ_CHECK((byte >= 0x20 && byte != 0x7f) || byte == '\n');
    }
  }
  if (loaded.ok()) (void)config::render_effective(loaded);
  return 0;
}
