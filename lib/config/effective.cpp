#include <fmt/format.h>

#include "config/load.h"
#include "config/schema.h"

namespace rproxy::config {
namespace {

constexpr std::size_t kCommentColumn = 44;

std::string origin(const Node* node) {
  if (node == nullptr || !node->at.file) return "default";
  return fmt::format("{}:{}", node->at.file->name, node->at.line);
}

void put_line(std::string& out, std::string_view name, const std::string& value, const std::string& from) {
  const std::string line = fmt::format("{} = {}", name, value);
  out += fmt::format("{:<{}}  # {}\n", line, kCommentColumn, from);
}

// What is set as the file has it, the rest as it is by default.
template <typename T>
void put_keys(std::string& out, Keys<T> keys, const T& value, const Node* table) {
  for (const Key<T>& key : keys) {
    const Node* set = table != nullptr ? table->find(key.name) : nullptr;
    if (set != nullptr) {
      put_line(out, key.name, render_node(*set), origin(set));
    } else if (key.render != nullptr) {
      put_line(out, key.name, key.render(value), "default");
    }
  }
}

template <typename T>
void put_section(std::string& out, const std::string& name, Keys<T> keys, const T& value, const Node* table) {
  out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", name);
  put_keys(out, keys, value, table);
}

// A table inside a table, unless the file has it: then its line is there already.
template <typename T>
void put_default_table(std::string& out, const char* name, Keys<T> keys, const T& value, const Node* table) {
  if (table != nullptr && table->find(name) != nullptr) return;
  std::string inner;
  for (const Key<T>& key : keys) {
    if (key.render != nullptr)
      inner += fmt::format("{}{} = {}", inner.empty() ? "" : ", ", key.name, key.render(value));
  }
  put_line(out, name, "{ " + inner + " }", "default");
}

void put_access_log(std::string& out, const Loaded& loaded) {
  const Node* node = loaded.tree->find("access_log");
  const bool is_short = node != nullptr && !node->is(Node::Kind::kTable);
  out += "\n[access_log]\n";
  if (is_short) put_line(out, "path", render_node(*node), origin(node));
  if (node == nullptr) put_line(out, "path", "\"off\"", "default");
  if (is_short || node == nullptr || node->find("format") == nullptr) put_line(out, "format", "\"json\"", "default");
  put_keys(out, access_log_keys(), loaded.config.access_log, is_short ? nullptr : node);
}

void put_upstreams(std::string& out, const Loaded& loaded) {
  const Node* all = loaded.tree->find("upstreams");
  for (const auto& options : loaded.config.upstreams) {
    const Node* node = all->find(options.name);
    put_section(out,
                "upstreams." +
                    (options.name.find_first_of(". \"") == std::string::npos ? options.name : quote_toml(options.name)),
                upstream_keys(), options, node);
    put_default_table(out, "pool", pool_keys(), options.pool, node);
    put_default_table(out, "retry", retry_keys(), options.retry, node);
    put_default_table(out, "ejection", ejection_keys(), options.ejection, node);
  }
}

void put_routes(std::string& out, const Loaded& loaded) {
  const Node* list = loaded.tree->find("routes");
  const Node* defaults = loaded.tree->find("defaults");
  for (const Node& node : list->items) {
    out += "\n[[routes]]\n";
    for (const Member& member : node.members)
      put_line(out, member.key, render_node(member.value), origin(&member.value));
    if (node.find("upstream") == nullptr) continue;
    for (const auto& key : defaults_keys()) {
      if (node.find(key.name) != nullptr) continue;
      const Node* set = defaults != nullptr ? defaults->find(key.name) : nullptr;
      put_line(out, key.name, set != nullptr ? render_node(*set) : key.render({}), origin(set));
    }
  }
}

void put_listeners(std::string& out, const Loaded& loaded) {
  const Node* tree = loaded.tree.get();
  if (const Node* listen = tree->find("listen")) put_section<ListenDraft>(out, "listen", listen_keys(), {}, listen);
  if (const Node* tls = tree->find("tls")) put_section<TlsDraft>(out, "tls", tls_keys(), {}, tls);
  if (const Node* list = tree->find("listeners")) {
    for (const Node& node : list->items) {
      out += "\n[[listeners]]\n";
      put_keys<ListenerDraft>(out, listener_keys(), {}, &node);
    }
  }
}

template <typename T>
void list_keys(std::vector<KeyInfo>& out, const std::string& prefix, Keys<T> keys, const T& defaults) {
  for (const Key<T>& key : keys) {
    out.push_back({prefix + std::string(key.name), std::string(key.type),
                   key.render != nullptr ? key.render(defaults) : "", std::string(key.meaning)});
  }
}

}  // namespace

std::string render_effective(const Loaded& loaded) {
  std::string out;
  const Node& tree = *loaded.tree;
  put_section(out, "server", server_keys(), loaded.config.server, tree.find("server"));
  put_listeners(out, loaded);
  put_section(out, "client", client_keys(), loaded.config.client, tree.find("client"));
  put_section(out, "forwarding", forwarding_keys(), loaded.config.forwarding, tree.find("forwarding"));
  put_access_log(out, loaded);
  put_upstreams(out, loaded);
  put_routes(out, loaded);
  return out;
}

std::vector<KeyInfo> all_keys() {
  std::vector<KeyInfo> out;
  list_keys<Server>(out, "server.", server_keys(), {});
  list_keys<ListenDraft>(out, "listen.", listen_keys(), {});
  list_keys<ListenerDraft>(out, "listeners.", listener_keys(), {});
  list_keys<TlsDraft>(out, "tls.", tls_keys(), {});
  list_keys<downstream::Options>(out, "client.", client_keys(), {});
  list_keys<upstream::Options>(out, "upstreams.*.", upstream_keys(), {});
  list_keys<balance::EndpointOptions>(out, "upstreams.*.servers.", endpoint_keys(), {});
  list_keys<net::TlsClientOptions>(out, "upstreams.*.tls.", upstream_tls_keys(), {});
  list_keys<upstream::PoolOptions>(out, "upstreams.*.pool.", pool_keys(), {});
  list_keys<upstream::RetryOptions>(out, "upstreams.*.retry.", retry_keys(), {});
  list_keys<balance::EjectionOptions>(out, "upstreams.*.ejection.", ejection_keys(), {});
  list_keys<proxy::ForwardAction>(out, "defaults.", defaults_keys(), {});
  list_keys<RouteDraft>(out, "routes.", route_keys(), {});
  list_keys<route::Match>(out, "routes.match.", match_keys(), {});
  list_keys<route::RewriteOptions>(out, "routes.rewrite.", rewrite_keys(), {});
  list_keys<proxy::ForwardingOptions>(out, "forwarding.", forwarding_keys(), {});
  list_keys<proxy::AccessLogOptions>(out, "access_log.", access_log_keys(), {});
  return out;
}

}  // namespace rproxy::config
