#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "config/build.h"
#include "config/schema.h"

namespace rproxy::config {
namespace {

void build_access_log(const Node& tree, Config& config, Problems& problems) {
  const Node* node = tree.find("access_log");
  if (node == nullptr) return;
  if (node->is(Node::Kind::kString)) {
    decode_access_log_target(problems, *node, config.access_log);
  } else {
    decode_table<proxy::AccessLogOptions>(problems, *node, "[access_log]", access_log_keys(), config.access_log);
  }
}

void build(const Node& tree, Config& config, Problems& problems) {
  for (const Member& member : tree.members) {
    if (std::ranges::find(top_level_keys(), member.key) == top_level_keys().end())
      report_unknown(problems, member, "", top_level_keys());
  }
  build_section<Server>(tree, "server", server_keys(), config.server, problems);
  build_section<downstream::Options>(tree, "client", client_keys(), config.client, problems);
  build_section<http2::Options>(tree, "http2", http2_keys(), config.client.http2, problems);
  build_section<proxy::ForwardingOptions>(tree, "forwarding", forwarding_keys(), config.forwarding, problems);
  build_section<net::ResolverOptions>(tree, "resolver", resolver_keys(), config.resolver, problems);
  build_section<ExplainHeader>(tree, "explain", explain_keys(), config.explain, problems);
  build_section<storage::Options>(tree, "cache", cache_keys(), config.cache, problems);
  build_section<filter::CompressionLimits>(tree, "compression", compression_keys(), config.compression, problems);
  build_access_log(tree, config, problems);
  build_listeners(tree, config, problems);
  build_admin(tree, config, problems);
  const auto upstreams = build_upstreams(tree, config, problems);
  build_routes(tree, upstreams, config, problems);
  build_tests(tree, config.tests, problems);
}

Loaded finish(std::optional<Node> tree, Problems& problems) {
  Loaded loaded;
  if (tree) {
    loaded.tree = std::make_shared<const Node>(std::move(*tree));
    // A syntax error would only make others out of what is missing.
    build(*loaded.tree, loaded.config, problems);
  }
  loaded.diagnostics = std::move(problems.list());
  sort_diagnostics(loaded.diagnostics);
  return loaded;
}

}  // namespace

const std::vector<std::string>& top_level_keys() {
  static const std::vector<std::string> kKeys{
      "include", "server",     "listen",     "listeners", "tls",   "client",  "http2", "upstreams", "defaults",
      "routes",  "forwarding", "access_log", "resolver",  "admin", "explain", "tests", "cache",     "compression"};
  return kKeys;
}

std::string line_of(const Place& place, const Place& from) {
  if (!place.file || place.file == from.file) return fmt::format("line {}", place.line);
  return fmt::format("{}:{}", place.file->name, place.line);
}

bool Loaded::ok() const {
  return tree != nullptr &&
         std::ranges::none_of(diagnostics, [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

Loaded load(const std::string& path, const Environment& environment) {
  Problems problems;
  Sources sources;
  Loaded loaded = finish(read_tree(path, environment, problems, &sources), problems);
  loaded.sources = std::move(sources);
  return loaded;
}

Loaded load_text(const std::string& name, const std::string& text, const Environment& environment) {
  Problems problems;
  return finish(read_text(name, text, environment, problems), problems);
}

LoadedTests load_tests(const std::string& path, const Environment& environment) {
  Problems problems;
  LoadedTests loaded;
  if (const auto tree = read_tree(path, environment, problems)) {
    for (const Member& member : tree->members) {
      if (member.key != "tests") report_unknown(problems, member, "", {"tests"});
    }
    build_tests(*tree, loaded.tests, problems);
    loaded.is_readable = true;
  }
  loaded.diagnostics = std::move(problems.list());
  sort_diagnostics(loaded.diagnostics);
  return loaded;
}

}  // namespace rproxy::config
