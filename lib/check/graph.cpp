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

constexpr std::size_t kDrawnMax = 100;

enum class Shape : std::uint8_t { kListener, kHost, kRoute, kUpstream, kServer, kAnswer };

// In both languages, which differ in little but quoting.
class Picture {
 public:
  explicit Picture(GraphLanguage language) : is_dot_(language == GraphLanguage::kDot) {
    out_ = is_dot_ ? "digraph rproxy {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n" : "flowchart LR\n";
  }

  // The same node for the same text and shape.
  std::string node(Shape shape, const std::string& label) {
    const auto [entry, is_new] = ids_.try_emplace({shape, label}, fmt::format("n{}", ids_.size()));
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
  Drawing(const config::Config& config, GraphLanguage language) : config_(config), picture_(language) {}

  std::string draw() {
    const bool is_grouped = config_.routes.size() > kDrawnMax;
    std::vector<std::string> listeners;
    for (const auto& listener : config_.listeners) {
      const std::string text =
          fmt::format("{} {}", listener.tls ? "https" : "http", listener.listen.address.to_string());
      const std::string id = picture_.node(Shape::kListener, text);
      if (listener.redirect_https) {
        picture_.edge(id, picture_.node(Shape::kAnswer, "308 to https"));
      } else {
        listeners.push_back(id);
      }
    }
    for (const std::size_t index : route::by_precedence(rules_of(config_))) {
      const config::Route& route = config_.routes[index];
      const std::string host = host_of(route, listeners);
      if (is_grouped) {
        ++groups_[{host, leads_to(route.action)}];
        examples_.try_emplace({host, leads_to(route.action)}, &route.action);
      } else {
        const std::string id = picture_.node(Shape::kRoute, text_of(route.rule.match));
        picture_.edge(host, id);
        lead(id, route.action);
      }
    }
    for (const auto& [key, count] : groups_) {
      const std::string id =
          picture_.node(Shape::kRoute, fmt::format("{} routes to {}", count, key.second) +
                                           std::string(groups_.size() > 1 ? " of " + key.first : ""));
      picture_.edge(key.first, id);
      lead(id, *examples_.at(key));
    }
    return picture_.take();
  }

 private:
  std::string host_of(const config::Route& route, const std::vector<std::string>& listeners) {
    const std::string& host = route.rule.match.host;
    const auto [entry, is_new] = hosts_.try_emplace(host);
    if (!is_new) return entry->second;
    entry->second = picture_.node(Shape::kHost, host.empty() ? "any host" : host);
    for (const std::string& listener : listeners) picture_.edge(listener, entry->second);
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
    for (std::size_t i = 0; i < servers.size() && i < kDrawnMax; ++i)
      picture_.edge(id, picture_.node(Shape::kServer, servers[i].address));
    if (servers.size() > kDrawnMax)
      picture_.edge(id, picture_.node(Shape::kServer, fmt::format("{} more of {}", servers.size() - kDrawnMax, name)));
    return id;
  }

  const config::Config& config_;
  Picture picture_;
  std::map<std::string, std::string> hosts_;
  std::map<std::string, std::string> upstreams_;
  std::map<std::pair<std::string, std::string>, std::size_t> groups_;
  std::map<std::pair<std::string, std::string>, const proxy::Action*> examples_;
};

}  // namespace

std::string draw(const config::Config& config, GraphLanguage language) { return Drawing(config, language).draw(); }

}  // namespace rproxy::check
