#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "config/load.h"
#include "config/schema.h"

namespace rproxy::config {
namespace {

constexpr std::size_t kCommentColumn = 44;

std::string origin(const Node& node) {
  if (!node.at.file) return "default";
  return fmt::format("{}:{}", node.at.file->name, node.at.line);
}

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

// As the proxy opens it, wherever this text is put. What begins with ${...} may be whole already.
std::string render_path(const Node& node) {
  const std::string& written = node.raw.empty() ? node.text : node.raw;
  if (!node.is(Node::Kind::kString) || written.empty() || written.starts_with("${")) return render_node(node);
  return quote_toml(absolute(resolve_path(node.at, written)));
}

// A value written short, as the table it stands for: `redirect = "/x"` is { location = "/x" }.
Node long_form(const Node& node, const std::string& key) {
  if (node.is(Node::Kind::kTable)) return node;
  Node table;
  table.at = node.at;
  table.members.push_back({key, node.at, node});
  return table;
}

const Node* find(const Node* table, std::string_view key) { return table != nullptr ? table->find(key) : nullptr; }

class Printer {
 public:
  Printer(const Loaded& loaded, std::span<const Override> overrides)
      : tree_(*loaded.tree), config_(loaded.config), overrides_(overrides) {}

  std::string print() {
    put_server();
    put_listeners();
    put_section("client", client_keys(), config_.client, tree_.find("client"));
    put_section("http2", http2_keys(), config_.client.http2, tree_.find("http2"));
    put_section("forwarding", forwarding_keys(), config_.forwarding, tree_.find("forwarding"));
    if (config_.forwarding.client_cert)
      put_inner("forwarding", "client_cert", client_cert_field_keys(), *config_.forwarding.client_cert,
                tree_.find("forwarding"));
    put_section("resolver", resolver_keys(), config_.resolver, tree_.find("resolver"));
    put_access_log();
    if (const Node* admin = tree_.find("admin")) put_section("admin", admin_keys(), config_.admin, admin);
    put_cache();
    put_section("compression", compression_keys(), config_.compression, tree_.find("compression"));
    if (const Node* explain = tree_.find("explain")) put_section("explain", explain_keys(), config_.explain, explain);
    put_upstreams();
    put_routes();
    return std::move(out_);
  }

 private:
  void put_cache() {
    const Node* cache = tree_.find("cache");
    if (cache == nullptr) return;
    put_section("cache", cache_keys(), config_.cache, cache);
    if (config_.cache.disk) put_inner("cache", "disk", cache_disk_keys(), *config_.cache.disk, cache);
  }

  void put_header(const std::string& header) { out_ += fmt::format("{}{}\n", out_.empty() ? "" : "\n", header); }

  void put_line(std::string_view name, const std::string& value, std::string_view from) {
    const std::string line = fmt::format("{} = {}", quote_key(name), value);
    out_ += fmt::format("{:<{}}  # {}\n", line, kCommentColumn, from);
  }

  // What is set as the file has it, the rest as it is by default. Tables inside come as sections of their own.
  template <typename T>
  void put_keys(Keys<T> keys, const T& value, const Node* table) {
    for (const Key<T>& key : keys) {
      const Node* set = find(table, key.name);
      if (set != nullptr && !is_section(*set)) {
        put_line(key.name, render_set(key.type, *set), origin(*set));
      } else if (set == nullptr && key.render != nullptr) {
        put_line(key.name, key.render(value), "default");
      }
    }
  }

  static std::string render_set(std::string_view type, const Node& node) {
    if (type == "path") return render_path(node);
    return type == "secret" ? render_secret(node) : render_node(node);
  }

  static bool is_section(const Node& node) {
    return node.is(Node::Kind::kTable) ||
           (node.is(Node::Kind::kArray) && !node.items.empty() &&
            std::ranges::all_of(node.items, [](const Node& item) { return item.is(Node::Kind::kTable); }));
  }

  template <typename T>
  void put_section(const std::string& name, Keys<T> keys, const T& value, const Node* table) {
    put_header("[" + name + "]");
    put_keys(keys, value, table);
  }

  // A section whose values the file may leave out whole, or turn off by a boolean, which stands in the outer table.
  template <typename T>
  void put_inner(const std::string& outer, const char* name, Keys<T> keys, const T& defaults, const Node* table) {
    const Node* node = find(table, name);
    if (node == nullptr || node->is(Node::Kind::kTable)) put_section(outer + "." + name, keys, defaults, node);
  }

  template <typename T>
  void put_items(const std::string& name, Keys<T> keys, const Node* list) {
    if (list == nullptr || !is_section(*list)) return;
    for (const Node& item : list->items) {
      put_header("[[" + name + "]]");
      put_keys<T>(keys, {}, &item);
    }
  }

  void put_server() {
    put_header("[server]");
    const Node* table = tree_.find("server");
    for (const auto& key : server_keys()) {
      const Node* set = find(table, key.name);
      const auto flag = std::ranges::find(overrides_, key.name, &Override::key);
      const bool is_overridden = flag != overrides_.end();
      put_line(key.name, set != nullptr && !is_overridden ? render_node(*set) : key.render(config_.server),
               is_overridden    ? std::string(flag->flag)
               : set != nullptr ? origin(*set)
                                : "default");
    }
  }

  void put_tls(const std::string& name, const Node& tls) {
    put_section<TlsDraft>(name, tls_keys(), {}, &tls);
    put_items<net::CertificateFiles>(name + ".certificates", certificate_keys(), tls.find("certificates"));
    if (tls.find("acme") != nullptr) put_inner(name, "acme", acme_keys(), config_.acme, &tls);
    if (config_.acme.on_demand && tls.find("acme") != nullptr)
      put_inner(name + ".acme", "on_demand", on_demand_keys(), *config_.acme.on_demand, tls.find("acme"));
    if (tls.find("client_auth") != nullptr)
      put_inner<net::ClientAuth>(name, "client_auth", client_auth_keys(), {}, &tls);
  }

  void put_listeners() {
    if (const Node* listen = tree_.find("listen")) put_section<ListenDraft>("listen", listen_keys(), {}, listen);
    if (const Node* tls = tree_.find("tls")) put_tls("tls", *tls);
    const Node* list = tree_.find("listeners");
    if (list == nullptr) return;
    for (const Node& node : list->items) {
      put_header("[[listeners]]");
      put_keys<ListenerDraft>(listener_keys(), {}, &node);
      const Node* tls = node.find("tls");
      if (tls != nullptr && tls->is(Node::Kind::kTable)) put_tls("listeners.tls", *tls);
    }
  }

  void put_access_log() {
    const Node* node = tree_.find("access_log");
    Node table = node != nullptr ? long_form(*node, "path") : Node{};
    Node* path = table.find("path");
    if (path != nullptr && path->raw.empty() && config_.access_log.target == proxy::AccessLogOptions::Target::kFile)
      path->text = absolute(config_.access_log.path);
    put_section("access_log", access_log_keys(), config_.access_log, &table);
  }

  void put_upstreams() {
    const Node* all = tree_.find("upstreams");
    for (const auto& options : config_.upstreams) {
      Node table = *all->find(options.name);
      if (Node* health = table.find("health"); health != nullptr && options.health)
        *health = long_form(*health, "path");
      const Node* node = &table;
      const std::string name = "upstreams." + quote_key(options.name);
      put_section(name, upstream_keys(), options, node);
      put_items<balance::EndpointOptions>(name + ".servers", endpoint_keys(), node->find("servers"));
      if (node->find("tls") != nullptr) put_inner(name, "tls", upstream_tls_keys(), options.tls, node);
      if (options.protocol != upstream::Protocol::kHttp1) {
        put_inner(name, "http2", upstream_http2_keys(), options.http2, node);
      }
      put_inner(name, "discovery", discovery_keys(), options.discovery, node);
      put_inner(name, "pool", pool_keys(), options.pool, node);
      if (options.health) {
        const Node* health = node->find("health");
        put_section(name + ".health", health_keys(), *options.health, health);
        if (const Node* headers = health->find("headers")) put_line("headers", render_node(*headers), origin(*headers));
      }
      put_inner(name, "retry", retry_keys(), options.retry, node);
      const Node* retry = node->find("retry");
      if (options.retry.hedge) put_inner(name + ".retry", "hedge", hedge_keys(), *options.retry.hedge, retry);
      if (options.sticky) put_inner(name, "sticky", sticky_keys(), *options.sticky, node);
      put_inner(name, "ejection", ejection_keys(), options.ejection, node);
      put_inner(name, "limits", limit_keys(), options.limits, node);
      put_inner(name, "queue", queue_keys(), options.queue, node);
    }
  }

  void put_routes() {
    for (const Node& node : tree_.find("routes")->items) {
      put_header("[[routes]]");
      for (const Member& member : node.members) {
        if (member.key != "redirect" && member.key != "respond" && member.key != "files")
          put_line(member.key, render_node(member.value), origin(member.value));
      }
      if (node.find("upstream") != nullptr || node.find("split") != nullptr) put_defaults(node);
      if (const Node* redirect = node.find("redirect")) {
        const Node table = long_form(*redirect, "location");
        put_section<proxy::RedirectAction>("routes.redirect", redirect_keys(), {}, &table);
      }
      if (const Node* files = node.find("files")) {
        const Node table = long_form(*files, "root");
        put_section<files::Options>("routes.files", files_keys(), {}, &table);
        if (const Node* types = table.find("types")) put_line("types", render_node(*types), origin(*types));
      }
      if (const Node* respond = node.find("respond")) {
        const Node table = long_form(*respond, respond->is(Node::Kind::kInteger) ? "status" : "body");
        put_section<proxy::RespondAction>("routes.respond", respond_keys(), {}, &table);
        if (const Node* headers = table.find("headers")) put_line("headers", render_node(*headers), origin(*headers));
      }
    }
  }

  void put_defaults(const Node& route) {
    const Node* defaults = tree_.find("defaults");
    for (const auto& key : defaults_keys()) {
      if (route.find(key.name) != nullptr) continue;
      const Node* set = find(defaults, key.name);
      put_line(key.name, set != nullptr ? render_node(*set) : key.render({}),
               set != nullptr ? origin(*set) : "default");
    }
  }

  const Node& tree_;
  const Config& config_;
  std::span<const Override> overrides_;
  std::string out_;
};

template <typename T>
void list_keys(std::vector<KeyInfo>& out, const std::string& prefix, Keys<T> keys, const T& defaults) {
  for (const Key<T>& key : keys) {
    out.push_back({prefix + std::string(key.name), std::string(key.type),
                   key.render != nullptr ? key.render(defaults) : "", std::string(key.meaning), key.bounds,
                   std::vector<std::string>(key.words.begin(), key.words.end())});
  }
}

}  // namespace

std::string render_effective(const Loaded& loaded, std::span<const Override> overrides) {
  return Printer(loaded, overrides).print();
}

std::vector<KeyInfo> all_keys() {
  std::vector<KeyInfo> out;
  list_keys<Server>(out, "server.", server_keys(), {});
  list_keys<ListenDraft>(out, "listen.", listen_keys(), {});
  list_keys<ListenerDraft>(out, "listeners.", listener_keys(), {});
  list_keys<TlsDraft>(out, "tls.", tls_keys(), {});
  list_keys<net::CertificateFiles>(out, "tls.certificates.", certificate_keys(), {});
  list_keys<net::ClientAuth>(out, "tls.client_auth.", client_auth_keys(), {});
  list_keys<acme::Options>(out, "tls.acme.", acme_keys(), {});
  list_keys<acme::OnDemandOptions>(out, "tls.acme.on_demand.", on_demand_keys(), {});
  list_keys<acme::ExternalAccount>(out, "tls.acme.external_account.", external_account_keys(), {});
  list_keys<downstream::Options>(out, "client.", client_keys(), {});
  list_keys<http2::Options>(out, "http2.", http2_keys(), {});
  list_keys<upstream::Options>(out, "upstreams.*.", upstream_keys(), {});
  list_keys<balance::EndpointOptions>(out, "upstreams.*.servers.", endpoint_keys(), {});
  list_keys<net::TlsClientOptions>(out, "upstreams.*.tls.", upstream_tls_keys(), {});
  list_keys<upstream::Http2Options>(out, "upstreams.*.http2.", upstream_http2_keys(), {});
  list_keys<upstream::DiscoveryOptions>(out, "upstreams.*.discovery.", discovery_keys(), {});
  list_keys<upstream::PoolOptions>(out, "upstreams.*.pool.", pool_keys(), {});
  list_keys<upstream::RetryOptions>(out, "upstreams.*.retry.", retry_keys(), {});
  list_keys<upstream::HealthOptions>(out, "upstreams.*.health.", health_keys(), {});
  list_keys<upstream::HedgeOptions>(out, "upstreams.*.retry.hedge.", hedge_keys(), {});
  list_keys<balance::PolicyOptions>(out, "upstreams.*.balance.", balance_keys(), {});
  list_keys<upstream::StickyOptions>(out, "upstreams.*.sticky.", sticky_keys(), {});
  list_keys<balance::EjectionOptions>(out, "upstreams.*.ejection.", ejection_keys(), {});
  list_keys<balance::LimitOptions>(out, "upstreams.*.limits.", limit_keys(), {});
  list_keys<upstream::QueueOptions>(out, "upstreams.*.queue.", queue_keys(), {});
  list_keys<proxy::ForwardAction>(out, "defaults.", defaults_keys(), {});
  list_keys<RouteDraft>(out, "routes.", route_keys(), {});
  list_keys<proxy::SplitOptions::Part>(out, "routes.split.", split_keys(), {});
  list_keys<proxy::SplitOptions>(out, "routes.sticky.", split_cookie_keys(), {});
  list_keys<proxy::MirrorOptions>(out, "routes.mirror.", mirror_keys(), {});
  list_keys<route::Match>(out, "routes.match.", match_keys(), {});
  list_keys<route::RewriteOptions>(out, "routes.rewrite.", rewrite_keys(), {});
  list_keys<proxy::RedirectAction>(out, "routes.redirect.", redirect_keys(), {});
  list_keys<proxy::RespondAction>(out, "routes.respond.", respond_keys(), {});
  list_keys<files::Options>(out, "routes.files.", files_keys(), {});
  list_keys<HstsDraft>(out, "routes.hsts.", hsts_keys(), {});
  list_keys<proxy::ForwardingOptions>(out, "forwarding.", forwarding_keys(), {});
  list_keys<proxy::ClientCertificateField>(out, "forwarding.client_cert.", client_cert_field_keys(), {});
  list_keys<net::ResolverOptions>(out, "resolver.", resolver_keys(), {});
  list_keys<proxy::AccessLogOptions>(out, "access_log.", access_log_keys(), {});
  list_keys<Admin>(out, "admin.", admin_keys(), {});
  list_keys<storage::Options>(out, "cache.", cache_keys(), {});
  list_keys<storage::DiskOptions>(out, "cache.disk.", cache_disk_keys(), {});
  list_keys<proxy::CacheOptions>(out, "routes.cache.", cache_policy_keys(), {});
  list_keys<cache::KeyOptions>(out, "routes.cache.key.", cache_key_keys(), {});
  list_keys<route::Match>(out, "routes.cache.bypass.", condition_keys(), {});
  list_keys<route::Match>(out, "routes.cache.no_store.", condition_keys(), {});
  list_keys<filter::CompressionLimits>(out, "compression.", compression_keys(), {});
  list_keys<filter::CompressionOptions>(out, "routes.compress.", compress_keys(), {});
  list_keys<filter::CompressionOptions>(out, "routes.compress.level.", compress_level_keys(), {});
  list_keys<filter::DictionaryOptions>(out, "routes.compress.dictionary.", compress_dictionary_keys(), {});
  list_keys<ExplainHeader>(out, "explain.", explain_keys(), {});
  list_keys<RouteTest>(out, "tests.", test_keys(), {});
  list_keys<Expectation>(out, "tests.expect.", expectation_keys(), {});
  return out;
}

}  // namespace rproxy::config
