#include "check/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "check/conditions.h"
#include "check/explain.h"
#include "check/leads_to.h"
#include "config/text.h"

namespace rproxy::check {
namespace {

// Mermaid draws 500 edges at most, unless it is told otherwise.
constexpr std::size_t kDrawnMax = 100;
constexpr std::size_t kServersMax = 20;  // of one upstream, where much is left out

enum class Shape : std::uint8_t { kListener, kHost, kRoute, kUpstream, kServer, kAnswer };

// In both languages, which differ in little but quoting.
class Picture {
 public:
  explicit Picture(GraphLanguage language) : is_dot_(language == GraphLanguage::kDot) {
    out_ = is_dot_ ? "digraph rproxy {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n" : "flowchart LR\n";
  }

  // The same node for the same text and shape.
  std::string node(Shape shape, const std::string& label) { return node(shape, label, label); }
  // The same node for the same `identity` and shape.
  std::string node(Shape shape, const std::string& label, const std::string& identity) {
    const auto [entry, is_new] = ids_.try_emplace({shape, identity}, fmt::format("n{}", ids_.size()));
    if (is_new) out_ += is_dot_ ? dot_node(entry->second, shape, label) : mermaid_node(entry->second, shape, label);
    return entry->second;
  }
  void edge(const std::string& from, const std::string& to, const std::string& label = {}) {
    if (is_dot_) {
      out_ +=
          fmt::format("  {} -> {}{};\n", from, to, label.empty() ? "" : fmt::format(" [label={}]", quote_dot(label)));
    } else {
      out_ += fmt::format("  {} -->{} {}\n", from, label.empty() ? "" : fmt::format("|{}|", quote_mermaid(label)), to);
    }
  }
  std::string take() { return std::move(out_) + (is_dot_ ? "}\n" : ""); }

 private:
  static std::string quote_dot(std::string_view text) {
    std::string out = "\"";
    for (const char c : config::printable(config::cut_text(text))) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  }
  // Character references, for there are no escapes.
  static std::string quote_mermaid(std::string_view text) {
    constexpr std::string_view kSpecial = "\"#;<>&|`*_\\";
    std::string out = "\"";
    for (const char c : config::printable(config::cut_text(text))) {
      out += kSpecial.find(c) == std::string_view::npos ? std::string(1, c)
                                                        : fmt::format("#{};", static_cast<unsigned char>(c));
    }
    return out + "\"";
  }
  static std::string dot_node(const std::string& id, Shape shape, const std::string& label) {
    constexpr std::string_view kShapes[] = {"cds", "folder", "box", "component", "ellipse", "note"};
    return fmt::format("  {} [shape={}, label={}];\n", id, kShapes[static_cast<std::size_t>(shape)], quote_dot(label));
  }
  static std::string mermaid_node(const std::string& id, Shape shape, const std::string& label) {
    constexpr std::pair<std::string_view, std::string_view> kShapes[] = {{"[/", "/]"}, {"[[", "]]"}, {"[", "]"},
                                                                         {"{{", "}}"}, {"(", ")"},   {">", "]"}};
    const auto& [open, close] = kShapes[static_cast<std::size_t>(shape)];
    return fmt::format("  {}{}{}{}\n", id, open, quote_mermaid(label), close);
  }

  bool is_dot_;
  std::string out_;
  std::map<std::pair<Shape, std::string>, std::string> ids_;
};

class Drawing {
 public:
  Drawing(const config::Config& config, GraphLanguage language)
      : config_(config), picture_(language), is_grouped_(config.routes.size() > kDrawnMax) {}

  std::string draw() {
    add_listeners();
    is_grouped_ ? add_groups() : add_routes();
    return picture_.take();
  }

 private:
  // Routes that lead from one host to one place.
  struct Bundle {
    std::size_t count = 0;
    const proxy::Action* action = nullptr;
  };
  using Bundles = std::map<std::string, Bundle>;
  struct Group {
    std::string host;
    std::size_t hosts = 0;
    Bundles bundles;
  };

  void add_listeners() {
    for (const auto& listener : config_.listeners) {
      const std::string text =
          fmt::format("{} {}", listener.tls ? "https" : "http", listener.listen.address.to_string());
      const std::string id = picture_.node(Shape::kListener, text);
      if (listener.redirect_https) {
        picture_.edge(id, picture_.node(Shape::kAnswer, "308 to https"));
      } else {
        listeners_.push_back(id);
      }
    }
  }

  void add_routes() {
    for (const std::size_t index : route::by_precedence(rules_of(config_))) {
      const config::Route& route = config_.routes[index];
      const std::string& host = route.rule.match.host;
      const std::string id = picture_.node(Shape::kRoute, text_of(route.rule.match));
      picture_.edge(add_host(label_of(host), host), id);
      lead(id, route.action);
    }
  }

  void add_groups() {
    std::size_t room = kDrawnMax;
    std::size_t left_out = 0;
    for (const auto& [key, group] : groups()) {
      for (const auto& [place, bundle] : group.bundles) {
        if (room == 0) {
          left_out += bundle.count;
          continue;
        }
        --room;
        const std::string host =
            add_host(group.hosts == 1 ? label_of(group.host) : fmt::format("{} hosts", group.hosts), key);
        const std::string id =
            picture_.node(Shape::kRoute, fmt::format("{} route{}", bundle.count, bundle.count == 1 ? "" : "s"),
                          fmt::format("{}\n{}", key, place));
        picture_.edge(host, id);
        lead(id, *bundle.action);
      }
    }
    if (left_out > 0) picture_.node(Shape::kRoute, fmt::format("and {} more routes", left_out));
  }

  // By host; of many hosts those that lead to the same places are one.
  std::map<std::string, Group> groups() const {
    std::map<std::string, Bundles> by_host;
    for (const config::Route& route : config_.routes) {
      Bundle& bundle = by_host[route.rule.match.host][place_of(route.action)];
      ++bundle.count;
      bundle.action = &route.action;
    }
    const bool are_many = by_host.size() > kDrawnMax;
    std::map<std::string, Group> groups;
    for (const auto& [host, bundles] : by_host) {
      std::string key = are_many ? std::string() : host;
      if (are_many) {
        for (const auto& [place, bundle] : bundles) key += place + "\n";
      }
      Group& group = groups[key];
      ++group.hosts;
      group.host = host;
      for (const auto& [place, bundle] : bundles) {
        group.bundles[place].count += bundle.count;
        group.bundles[place].action = bundle.action;
      }
    }
    return groups;
  }

  // All that is drawn of an action.
  static std::string place_of(const proxy::Action& action) {
    const auto* forward = std::get_if<proxy::ForwardAction>(&action);
    const bool has_mirror = forward != nullptr && forward->mirror;
    return fmt::format("{}\n{}", leads_to(action), has_mirror ? forward->mirror->upstream : "");
  }

  static std::string label_of(const std::string& host) { return host.empty() ? "any host" : host; }

  std::string add_host(const std::string& label, const std::string& identity) {
    const auto [entry, is_new] = hosts_.try_emplace(identity);
    if (is_new) {
      entry->second = picture_.node(Shape::kHost, label, identity);
      for (const std::string& listener : listeners_) picture_.edge(listener, entry->second);
    }
    return entry->second;
  }

  void lead(const std::string& from, const proxy::Action& action) {
    const auto* forward = std::get_if<proxy::ForwardAction>(&action);
    if (forward == nullptr) {
      picture_.edge(from, picture_.node(Shape::kAnswer, leads_to(action)));
      return;
    }
    if (!forward->split) {
      picture_.edge(from, upstream(forward->upstream));
    } else {
      for (const auto& part : forward->split->parts)
        picture_.edge(from, upstream(part.upstream), std::to_string(part.weight));
    }
    if (forward->mirror) picture_.edge(from, upstream(forward->mirror->upstream), "mirror");
  }

  std::string upstream(const std::string& name) {
    const auto [entry, is_new] = upstreams_.try_emplace(name);
    if (!is_new) return entry->second;
    std::string id = picture_.node(Shape::kUpstream, name);
    entry->second = id;
    const auto& options = *std::ranges::find(config_.upstreams, name, &upstream::Options::name);
    const auto servers = Explainer::servers_of(options);
    const std::size_t most = is_grouped_ ? kServersMax : kDrawnMax;
    for (std::size_t i = 0; i < servers.size() && i < most; ++i)
      picture_.edge(id, picture_.node(Shape::kServer, servers[i].address));
    if (servers.size() > most)
      picture_.edge(id, picture_.node(Shape::kServer, fmt::format("{} more of {}", servers.size() - most, name)));
    return id;
  }

  const config::Config& config_;
  Picture picture_;
  bool is_grouped_;
  std::vector<std::string> listeners_;  // that lead to routes
  std::map<std::string, std::string> hosts_;
  std::map<std::string, std::string> upstreams_;
};

}  // namespace

std::string draw(const config::Config& config, GraphLanguage language) { return Drawing(config, language).draw(); }

}  // namespace rproxy::check
