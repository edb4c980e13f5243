#include "config/server_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/diagnostic.h"
#include "config/schema.h"
#include "config/source.h"

namespace rproxy::config {
namespace {

struct Listed {
  upstream::Options options;
};

constexpr Key<Listed> kKeys[] = {
    special<Listed>("servers", "array of addresses or { address, weight }", "the list",
                    [](Problems& p, const Node& n, Listed& o) { decode_servers(p, n, o.options); }),
};

tl::unexpected<Error> bad(std::string reason) {
  return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever, std::move(reason));
}

// The first mistake, in one line.
std::optional<std::string> first_error(Problems& problems) {
  sort_diagnostics(problems.list());
  for (const Diagnostic& diagnostic : problems.list()) {
    if (diagnostic.severity != Severity::kError) continue;
    return fmt::format("{}:{}: {}", diagnostic.at.file, std::max<std::size_t>(diagnostic.at.line, 1),
                       diagnostic.message);
  }
  return std::nullopt;
}

Result<upstream::ServerList> parse_toml(const std::string& path, std::string_view text) {
  Problems problems;
  Listed listed;
  const auto tree = read_text(
      path, std::string(text), [](std::string_view) { return std::nullopt; }, problems);
  if (tree) decode_table<Listed>(problems, *tree, "the list", kKeys, listed);
  if (auto error = first_error(problems)) return bad(std::move(*error));
  upstream::ServerList servers = std::move(listed.options.endpoints);
  const auto is_name = [](const auto& server) { return server.address.kind == HostPort::Kind::kName; };
  if (std::ranges::any_of(servers, is_name) || !listed.options.sources.empty())
    return bad(path + ":1: names, services and files belong into an upstream's servers, not into a list");
  if (servers.empty()) return bad(path + ":1: the list has no servers");
  if (servers.size() > upstream::kListedServersMax)
    return bad(fmt::format("{}:1: more than {} servers", path, upstream::kListedServersMax));
  return servers;
}

}  // namespace

Result<upstream::ServerList> parse_server_file(const std::string& path, std::string_view text) {
  return path.ends_with(".toml") ? parse_toml(path, text) : upstream::parse_server_list(path, text);
}

}  // namespace rproxy::config
