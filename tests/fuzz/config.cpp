// Any text gives a configuration or diagnostics that can be shown.
#include "config/load.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto nothing = [](std::string_view) { return std::optional<std::string>(); };
  const auto loaded = config::load_text("fuzz.toml", std::string(text_of(data, size)), nothing);
  if (loaded.ok()) (void)config::render_effective(loaded);
  return 0;
}
