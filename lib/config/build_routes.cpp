#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "config/build.h"
#include "config/schema.h"
#include "config/text.h"
#include "http/authority.h"
#include "route/router.h"

namespace rproxy::config {
namespace {

class RouteBuilder {
 public:
  RouteBuilder(const Node& tree, const std::map<std::string, Place>& upstreams, Config& config, Problems& problems)
      : tree_(tree), upstreams_(upstreams), config_(config), problems_(problems) {}

  void build() {
    proxy::ForwardAction defaults;
    build_section<proxy::ForwardAction>(tree_, "defaults", defaults_keys(), defaults, problems_);
    if (const Node* node = tree_.find("defaults")) check_host(*node);
    const Node* list = tree_.find("routes");
    if (lacks(tree_, "routes", top_level_keys()) && !problems_.is_incomplete()) {
      problems_.error("RP1005", Place{tree_.at.file, 0, 0}, "there are no routes",
                      "add [[routes]] with match = \"*\" and upstream = \"NAME\"");
    }
    if (list == nullptr ||
        !expect(problems_, *list, Node::Kind::kArray, "[[routes]], an array of tables,", "write [[routes]]")) {
      return;
    }
    if (list->items.empty()) {
      problems_.error("RP1005", list->at, "routes is empty",
                      "add [[routes]] with match = \"*\" and upstream = \"NAME\"");
    }
    for (const Node& node : list->items) build_route(node, defaults);
    check_rules(*list);
    warn_of_unasked(*list);
    warn_of_names(*list);
    warn_of_unused();
  }

 private:
  void build_route(const Node& node, const proxy::ForwardAction& defaults) {
    RouteDraft draft;
    draft.forward = defaults;
    decode_table<RouteDraft>(problems_, node, "[[routes]]", route_keys(), draft);
    draft.route.compression = draft.forward.compression;
    draft.route.client_cert = draft.forward.client_cert;
    draft.route.strict_transport = draft.forward.strict_transport;
    if (node.is(Node::Kind::kTable)) {
      if (lacks(node, "match", names_of(route_keys())))
        problems_.error("RP1005", node.at, "a route needs match", "match = \"shop.com/*\", or \"*\" for everything");
      check_host(node);
      settle_action(node, draft);
    }
    route::Rule& rule = draft.route.rule;
    const Node* match = node.find("match");
    draft.route.has_name = !rule.name.empty();
    if (rule.name.empty() && match != nullptr)
      rule.name = match->is(Node::Kind::kString) ? match->text : render_node(*match);
    if (draft.is_match_sound && match->is_whole()) sound_.push_back(config_.routes.size());
    draft.route.at = node.at;
    config_.routes.push_back(std::move(draft.route));
  }

  void settle_action(const Node& node, RouteDraft& draft) {
    static constexpr const char* kActions[] = {"upstream", "split", "redirect", "respond", "files"};
    std::vector<std::string_view> found;
    bool is_meant = false;
    for (const char* name : kActions) {
      if (node.find(name) != nullptr) found.emplace_back(name);
      is_meant = is_meant || !lacks(node, name, names_of(route_keys()));
    }
    if (found.size() != 1) {
      are_actions_sound_ = false;
      if (found.size() > 1) {
        problems_.error("RP1006", node.at, "the route has more than one of upstream, split, redirect, respond, files",
                        "keep one");
      } else if (!is_meant) {
        problems_.error("RP1005", node.at, "the route leads nowhere",
                        "give it exactly one of upstream, split, redirect, respond and files");
      }
      return;
    }
    const bool is_forwarded = node.find("upstream") != nullptr || node.find("split") != nullptr;
    if (!is_forwarded) warn_of_useless(node, found.front());
    if (draft.redirect) {
      draft.route.action = std::move(*draft.redirect);
    } else if (draft.respond) {
      draft.route.action = std::move(*draft.respond);
    } else if (draft.files) {
      draft.files->rewrite = std::move(draft.forward.rewrite);
      draft.route.action = std::move(*draft.files);
    } else if (is_forwarded) {
      check_targets(node, draft);
      draft.route.action = std::move(draft.forward);
    }
  }

  void check_targets(const Node& route, RouteDraft& draft) {
    proxy::ForwardAction& forward = draft.forward;
    if (forward.cache.enabled && forward.grpc_web) {
      const Node* cache = route.find("cache");
      problems_.error("RP1211", cache != nullptr ? cache->at : route.at, "calls of gRPC-Web are not to be cached",
                      "cache = false, or grpc_web = false");
    }
    if (const Node* upstream = route.find("upstream")) check_upstream(*upstream, forward.upstream);
    if (forward.split) {
      forward.split->by = draft.split_sticky.by;
      forward.split->cookie = draft.split_sticky.cookie;
      forward.split->lifetime = draft.split_sticky.lifetime;
      for (const Node& part : route.find("split")->items) {
        const Node* upstream = part.find("upstream");
        if (upstream != nullptr) check_upstream(*upstream, upstream->text);
        if (upstream == nullptr) are_actions_sound_ = false;
      }
    } else if (const Node* sticky = route.find("sticky"); sticky != nullptr && route.find("split") == nullptr) {
      problems_.warning("RP1010", sticky->at, "sticky does nothing without split",
                        "delete it; to keep clients at a server write sticky in [upstreams.NAME]");
    }
    const Node* mirror = route.find("mirror");
    const Node* shadow = mirror != nullptr && mirror->is(Node::Kind::kTable) ? mirror->find("upstream") : mirror;
    if (shadow != nullptr && forward.mirror) check_upstream(*shadow, forward.mirror->upstream);
  }

  // Settings of what is forwarded, where nothing is.
  void warn_of_useless(const Node& route, std::string_view action) {
    static constexpr std::string_view kForwarding[] = {"rewrite",         "host",     "hide_backend", "proxy_status",
                                                       "request_timeout", "grpc_web", "sticky",       "mirror",
                                                       "queue_priority",  "cache",    "compress"};
    for (const Member& member : route.members) {
      if (std::ranges::find(kForwarding, member.key) == std::end(kForwarding)) continue;
      if (action == "files" && member.key == "rewrite") continue;
      if (action != "redirect" && member.key == "compress") continue;
      problems_.warning("RP1010", member.at, fmt::format("{} does nothing beside {}", member.key, action),
                        "delete it; it is for routes to an upstream");
    }
  }

  void check_upstream(const Node& node, const std::string& name) {
    used_.insert(name);
    if (upstreams_.contains(name)) return;
    are_actions_sound_ = false;
    const bool is_misspelt = !lacks(tree_, "upstreams", top_level_keys()) && tree_.find("upstreams") == nullptr;
    if (!node.is(Node::Kind::kString) || node.is_broken || is_misspelt || problems_.is_incomplete()) return;
    std::vector<std::string> known;
    for (const auto& [other, at] : upstreams_) known.push_back(other);
    const std::string near = is_secret(node) ? std::string() : nearest_value(name, known);
    std::string remedy =
        fmt::format("add [upstreams.{}] with servers = [...]", is_secret(node) ? "NAME" : quote_key(cut_text(name)));
    if (!near.empty()) remedy = fmt::format("did you mean {}?", quote_toml(near));
    problems_.error("RP1106", node.at, fmt::format("there is no upstream {}", shown(node)), std::move(remedy));
  }

  void check_host(const Node& table) {
    const Node* host = table.find("host");
    http::Authority ignored;
    if (host == nullptr || !host->is(Node::Kind::kString) || host->is_broken || host->text.empty()) return;
    if (http::parse_authority(host->text, ignored)) return;
    problems_.error("RP1004", host->at, fmt::format("not a host: {}", shown(*host)),
                    "\"shop.com\", \"10.0.0.1\" or \"[::1]\", with or without a port");
  }

  // ---- All of them together.

  void check_rules(const Node& list) {
    std::vector<route::Rule> rules;
    for (const std::size_t index : sound_) rules.push_back(config_.routes[index].rule);
    std::vector<route::RuleProblem> found;
    const route::Router router(rules, found);
    for (auto& problem : found) report(list.items[sound_[problem.rule]], list.items[sound_[problem.other]], problem);
  }

  void report(const Node& route, const Node& other, const route::RuleProblem& problem) {
    const Node& match = *route.find("match");
    const auto part = [&match](const char* name) -> const Node& {
      const Node* node = match.find(name);
      return node != nullptr ? *node : match;
    };
    const auto detail = [&problem](const Node& at) {
      return is_secret(at) ? fmt::format("{} can't be matched", shown(at)) : problem.detail;
    };
    switch (problem.kind) {
      case route::RuleProblem::Kind::kBadHost:
        problems_.error("RP1201", part("host").at, "host: " + detail(part("host")),
                        "\"shop.com\", \"*.shop.com\" for all below it, or \"*\" for any");
        break;
      case route::RuleProblem::Kind::kBadPath:
        problems_.error("RP1202", part("path").at, "path: " + detail(part("path")),
                        "\"/images/*\" for all below it, \"/favicon.ico\" for this path alone");
        break;
      case route::RuleProblem::Kind::kBadRegex:
        break;  // reported where it was decoded
      case route::RuleProblem::Kind::kDuplicate:
        problems_.error("RP1205", match.at,
                        fmt::format("the route at {} matches exactly this already", line_of(other.at, match.at)),
                        "delete one, or let them differ");
        break;
      case route::RuleProblem::Kind::kTie:
        problems_.warning(
            "RP1206", match.at,
            fmt::format("as specific as the route at {}: where both match, that one wins", line_of(other.at, match.at)),
            "say which goes first with priority");
        break;
    }
  }

  // Certificates that a rule or an upstream waits for, and nobody asks clients for.
  void warn_of_unasked(const Node& list) {
    const bool asks = std::ranges::any_of(
        config_.listeners, [](const Listener& each) { return each.tls && each.tls->client_auth.has_value(); });
    if (asks || problems_.errors() != 0 || problems_.is_incomplete()) return;
    const auto warn = [this](const Node* node, const char* what) {
      problems_.warning("RP1310", node->at, what, "add [tls.client_auth] with ca_file = \"clients-ca.pem\"");
    };
    const Node* defaults = tree_.find("defaults");
    for (std::size_t i = 0; i < config_.routes.size(); ++i) {
      if (!config_.routes[i].client_cert.is_needed) continue;
      const Node* node = list.items[i].find("client_cert");
      if (node == nullptr && defaults != nullptr) node = defaults->find("client_cert");
      if (node != nullptr) warn(node, "nobody gets in: no listener asks clients for certificates");
    }
    if (const Node* forwarding = tree_.find("forwarding"); forwarding != nullptr && config_.forwarding.client_cert)
      warn(forwarding->find("client_cert"), "there is nothing to send: no listener asks clients for certificates");
  }

  void warn_of_names(const Node& list) {
    std::map<std::string, Place> known;
    for (const Node& route : list.items) {
      const Node* name = route.find("name");
      if (name == nullptr || !name->is(Node::Kind::kString) || !name->is_whole() || name->text.empty()) continue;
      const auto [first, is_new] = known.emplace(name->text, name->at);
      if (is_new) continue;
      problems_.warning(
          "RP1209", name->at,
          fmt::format("{} is the name of the route at {}, too", shown(*name), line_of(first->second, name->at)),
          "give each its own: logs tell routes by it");
    }
  }

  void warn_of_unused() {
    // A route whose target isn't known may be the one that leads there.
    if (!are_actions_sound_ || problems_.is_incomplete()) return;
    for (const auto& [name, at] : upstreams_) {
      if (!used_.contains(name))
        problems_.warning("RP1105", at, fmt::format("no route leads to upstream {}", cut_text(name)),
                          "add a route with this upstream, or delete it");
    }
  }

  const Node& tree_;
  const std::map<std::string, Place>& upstreams_;
  Config& config_;
  Problems& problems_;
  std::vector<std::size_t> sound_;  // the routes whose match is understood
  std::set<std::string> used_;
  bool are_actions_sound_ = true;
};

}  // namespace

void build_routes(const Node& tree, const std::map<std::string, Place>& upstreams, Config& config, Problems& problems) {
  RouteBuilder(tree, upstreams, config, problems).build();
}

}  // namespace rproxy::config
