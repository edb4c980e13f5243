// Files that list servers, as lines and as TOML.
#include "upstream/server_list.h"

#include <string>

#include "config/server_file.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rproxy;
  const auto text = text_of(data, size);
  const auto list = upstream::parse_server_list("app.list", text);
  if (list) {
    std::string again;
    for (const auto& server : *list) {
      again +=
          server.address.to_string() + " weight=" + std::to_string(server.weight) +
          (server.priority == balance::kBackupPriority ? " backup" : " priority=" + std::to_string(server.priority)) +
          " max_connections=" + std::to_string(server.max_connections) + "\n";
    }
    const auto same = upstream::parse_server_list("app.list", again);
    FUZZ_CHECK(same && *same == *list);
  } else {
    FUZZ_CHECK(list.error().context.starts_with("app.list:"));
  }
  const auto toml = config::parse_server_file("app.toml", text);
  if (!toml) FUZZ_CHECK(toml.error().context.starts_with("app.toml:"));
  return 0;
}
