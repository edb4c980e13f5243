#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "config/schema.h"
#include "http/authority.h"
#include "route/router.h"

namespace rproxy::config {
namespace {

class Builder {
 public:
  Builder(const Node& tree, Config& config, Problems& problems) : tree_(tree), config_(config), problems_(problems) {}

  void build() {
    check_top_level();
    section<Server>("server", server_keys(), config_.server);
    section<downstream::Options>("client", client_keys(), config_.client);
    section<proxy::ForwardingOptions>("forwarding", forwarding_keys(), config_.forwarding);
    build_access_log();
    build_listeners();
    build_upstreams();
    build_routes();
  }

 private:
  template <typename T>
  void section(const std::string& name, Keys<T> keys, T& out) {
    if (const Node* node = tree_.find(name)) decode_table<T>(problems_, *node, "[" + name + "]", keys, out);
  }

  void check_top_level() {
    const std::vector<std::string> known{"include",   "server",   "listen", "listeners",  "tls",       "client",
                                         "upstreams", "defaults", "routes", "forwarding", "access_log"};
    for (const Member& member : tree_.members) {
      if (std::ranges::find(known, member.key) == known.end()) report_unknown(problems_, member, "", known);
    }
  }

  void build_access_log() {
    const Node* node = tree_.find("access_log");
    if (node == nullptr) return;
    if (node->is(Node::Kind::kString)) {
      decode_access_log_target(problems_, *node, config_.access_log);
    } else {
      decode_table<proxy::AccessLogOptions>(problems_, *node, "[access_log]", access_log_keys(), config_.access_log);
    }
  }

  // ---- Listeners.

  void build_listeners() {
    if (const Node* tls = tree_.find("tls")) decode_tls(problems_, *tls, "[tls]", shared_tls_.emplace());
    build_short_listeners();
    if (const Node* list = tree_.find("listeners")) {
      if (expect(problems_, *list, Node::Kind::kArray, "[[listeners]], an array of tables,")) {
        for (const Node& node : list->items) build_listener(node);
      }
    }
    if (config_.listeners.empty() && tree_.find("listen") == nullptr && tree_.find("listeners") == nullptr) {
      problems_.error("RP1005", Place{tree_.at.file, 0, 0}, "nothing to listen on",
                      "add [listen] with http = \":80\" or https = \":443\"");
    }
    check_double_addresses();
    if (tree_.find("tls") != nullptr && !shared_tls_used_) {
      problems_.warning("RP1303", tree_.find("tls")->at, "[tls] is used by no listener", "add https to [listen]");
    }
  }

  void build_short_listeners() {
    ListenDraft draft;
    section<ListenDraft>("listen", listen_keys(), draft);
    std::uint16_t https_port = 443;
    for (const Node* node : draft.https) {
      Listener listener;
      if (!decode_address(problems_, *node, listener.listen.address)) continue;
      if (node == draft.https.front()) https_port = listener.listen.address.port;
      add_shared_tls(listener, node->at);
      add(std::move(listener), node->at);
    }
    for (const Node* node : draft.http) {
      Listener listener;
      if (!decode_address(problems_, *node, listener.listen.address)) continue;
      listener.redirect_https = !draft.https.empty();
      listener.redirect_port = https_port;
      add(std::move(listener), node->at);
    }
    const Node* section = tree_.find("listen");
    if (section != nullptr && section->is(Node::Kind::kTable) && section->members.empty()) {
      problems_.error("RP1005", section->at, "[listen] is empty", "http = \":80\" or https = \":443\"");
    }
  }

  void build_listener(const Node& node) {
    ListenerDraft draft;
    decode_table<ListenerDraft>(problems_, node, "[[listeners]]", listener_keys(), draft);
    if (!node.is(Node::Kind::kTable)) return;
    if (node.find("address") == nullptr)
      problems_.error("RP1005", node.at, "a listener needs address", "address = \":80\"");
    if (draft.uses_shared_tls) add_shared_tls(draft.listener, node.find("tls")->at);
    if (draft.listener.redirect_https && draft.listener.tls) {
      problems_.error("RP1006", node.find("redirect_https")->at,
                      "a TLS listener that redirects to https would redirect for ever");
    }
    add(std::move(draft.listener), node.at);
  }

  void add_shared_tls(Listener& listener, const Place& at) {
    shared_tls_used_ = true;
    if (shared_tls_) {
      listener.tls = *shared_tls_;
    } else {
      problems_.error("RP1301", at, "https needs a certificate",
                      "add [tls] with cert = \"site.pem\" and key = \"site.key\"");
    }
  }

  void add(Listener listener, const Place& at) {
    if (listener.name.empty()) listener.name = listener.listen.address.to_string();
    config_.listeners.push_back(std::move(listener));
    listener_places_.push_back(at);
  }

  void check_double_addresses() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const HostPort& address = config_.listeners[i].listen.address;
      if (address.kind != HostPort::Kind::kUnix && address.port == 0) continue;
      for (std::size_t k = 0; k < i; ++k) {
        if (config_.listeners[k].listen.address != address) continue;
        problems_.error(
            "RP1009", listener_places_[i],
            fmt::format("{} is listened on already, at line {}", address.to_string(), listener_places_[k].line));
        break;
      }
    }
  }

  // ---- Upstreams.

  void build_upstreams() {
    const Node* table = tree_.find("upstreams");
    if (table == nullptr || !expect(problems_, *table, Node::Kind::kTable, "a table of [upstreams.NAME]")) return;
    for (const Member& member : table->members) {
      upstream::Options options;
      options.name = member.key;
      decode_table<upstream::Options>(problems_, member.value, "[upstreams." + member.key + "]", upstream_keys(),
                                      options);
      if (options.endpoints.empty() && member.value.is(Node::Kind::kTable) && member.value.find("servers") == nullptr) {
        problems_.error("RP1103", member.at, fmt::format("upstream {} has no servers", member.key),
                        "servers = [\"10.0.0.1:8001\"]");
      } else if (!options.endpoints.empty() &&
                 std::ranges::all_of(options.endpoints, [](const auto& e) { return e.weight == 0; })) {
        problems_.error("RP1104", member.at, fmt::format("upstream {}: every server has weight 0", member.key),
                        "give one a weight of 1");
      } else if (options.endpoints.empty() && member.value.is(Node::Kind::kTable)) {
        problems_.error("RP1103", member.value.find("servers")->at,
                        fmt::format("upstream {} has no servers", member.key));
      }
      upstream_places_.emplace(member.key, member.at);
      config_.upstreams.push_back(std::move(options));
    }
  }

  // ---- Routes.

  void build_routes() {
    proxy::ForwardAction defaults;
    section<proxy::ForwardAction>("defaults", defaults_keys(), defaults);
    if (const Node* node = tree_.find("defaults"); node != nullptr) check_host(*node, defaults.host);
    const Node* list = tree_.find("routes");
    if (list == nullptr) {
      problems_.error("RP1005", Place{tree_.at.file, 0, 0}, "there are no routes",
                      "add [[routes]] with match = \"*\" and upstream = \"NAME\"");
      return;
    }
    if (!expect(problems_, *list, Node::Kind::kArray, "[[routes]], an array of tables,")) return;
    for (const Node& node : list->items) build_route(node, defaults);
    check_rules(*list);
    for (const auto& [name, at] : upstream_places_) {
      if (!used_upstreams_.contains(name))
        problems_.warning("RP1105", at, fmt::format("no route leads to upstream {}", name));
    }
  }

  void build_route(const Node& node, const proxy::ForwardAction& defaults) {
    RouteDraft draft;
    draft.forward = defaults;
    decode_table<RouteDraft>(problems_, node, "[[routes]]", route_keys(), draft);
    if (node.is(Node::Kind::kTable)) {
      if (node.find("match") == nullptr)
        problems_.error("RP1005", node.at, "a route needs match", "match = \"shop.com/*\", or \"*\" for everything");
      check_host(node, draft.forward.host);
      settle_action(node, draft);
    }
    route::Rule& rule = draft.route.rule;
    const Node* match = node.find("match");
    if (rule.name.empty() && match != nullptr)
      rule.name = match->is(Node::Kind::kString) ? match->text : render_node(*match);
    config_.routes.push_back(std::move(draft.route));
  }

  void settle_action(const Node& node, RouteDraft& draft) {
    const int actions = (draft.has_upstream ? 1 : 0) + (draft.redirect ? 1 : 0) + (draft.respond ? 1 : 0);
    if (actions != 1) {
      problems_.error(
          actions == 0 ? "RP1005" : "RP1006", node.at,
          actions == 0 ? "the route leads nowhere" : "the route has more than one of upstream, redirect, respond",
          "give it exactly one of upstream, redirect and respond");
      return;
    }
    if (draft.redirect) {
      draft.route.action = std::move(*draft.redirect);
    } else if (draft.respond) {
      draft.route.action = std::move(*draft.respond);
    } else {
      check_upstream(*node.find("upstream"), draft.forward.upstream);
      draft.route.action = std::move(draft.forward);
    }
  }

  void check_upstream(const Node& node, const std::string& name) {
    used_upstreams_[name] = true;
    if (!node.is(Node::Kind::kString) || upstream_places_.contains(name)) return;
    std::vector<std::string> known;
    for (const auto& [other, at] : upstream_places_) known.push_back(other);
    const std::string near = nearest(name, known);
    problems_.error("RP1106", node.at, fmt::format("there is no upstream {}", quote_toml(name)),
                    near.empty() ? fmt::format("add [upstreams.{}] with servers = [...]", name)
                                 : fmt::format("did you mean \"{}\"?", near));
  }

  void check_host(const Node& node, const std::string& host) {
    const Node* at = node.find("host");
    http::Authority ignored;
    if (at == nullptr || host.empty() || http::parse_authority(host, ignored)) return;
    problems_.error("RP1004", at->at, fmt::format("not a host: {}", quote_toml(host)));
  }

  void check_rules(const Node& list) {
    std::vector<route::Rule> rules;
    for (const Route& route : config_.routes) rules.push_back(route.rule);
    std::vector<route::RuleProblem> found;
    const route::Router router(rules, found);
    for (const auto& problem : found) {
      const Node& route = list.items[problem.rule];
      const Node* match = route.find("match");
      const Place& at = match != nullptr ? match->at : route.at;
      const Place& other = list.items[problem.other].at;
      switch (problem.kind) {
        case route::RuleProblem::Kind::kBadHost:
          problems_.error("RP1201", at, "host: " + problem.detail);
          break;
        case route::RuleProblem::Kind::kBadPath:
          problems_.error("RP1202", at, "path: " + problem.detail);
          break;
        case route::RuleProblem::Kind::kBadRegex:
          problems_.error("RP1203", at, "pattern: " + problem.detail,
                          "patterns are RE2: no look-around, no back-references");
          break;
        case route::RuleProblem::Kind::kDuplicate:
          problems_.error("RP1205", at, fmt::format("the route at line {} matches exactly this already", other.line),
                          "delete one, or let them differ");
          break;
        case route::RuleProblem::Kind::kTie:
          problems_.warning(
              "RP1206", at,
              fmt::format("as specific as the route at line {}: where both match, that one wins", other.line),
              "say which goes first with priority");
          break;
      }
    }
  }

  const Node& tree_;
  Config& config_;
  Problems& problems_;
  std::optional<net::TlsServerOptions> shared_tls_;
  bool shared_tls_used_ = false;
  std::vector<Place> listener_places_;
  std::map<std::string, Place> upstream_places_;
  std::map<std::string, bool> used_upstreams_;
};

Loaded finish(std::optional<Node> tree, Problems& problems) {
  Loaded loaded;
  if (tree) {
    loaded.tree = std::make_shared<const Node>(std::move(*tree));
    // A syntax error would only make others out of what is missing.
    Builder(*loaded.tree, loaded.config, problems).build();
  }
  loaded.diagnostics = std::move(problems.list());
  sort_diagnostics(loaded.diagnostics);
  return loaded;
}

}  // namespace

bool Loaded::ok() const {
  return tree != nullptr &&
         std::ranges::none_of(diagnostics, [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

Loaded load(const std::string& path, const Environment& environment) {
  Problems problems;
  return finish(read_tree(path, environment, problems), problems);
}

Loaded load_text(const std::string& name, const std::string& text, const Environment& environment) {
  Problems problems;
  return finish(read_text(name, text, environment, problems), problems);
}

}  // namespace rproxy::config
