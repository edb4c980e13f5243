#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "check/explain.h"
#include "check/lint_parts.h"
#include "check/question.h"
#include "proxy/fixed_answers.h"
#include "proxy/location_template.h"
#include "proxy/route_choice.h"
#include "route/reach.h"

namespace rproxy::check {
namespace {

using route::Reach;

constexpr std::size_t kHopsMax = 20;  // browsers give up there
constexpr std::size_t kShownMax = 5;  // of the way

class RedirectLint {
 public:
  RedirectLint(const config::Loaded& loaded, config::Problems& problems)
      : loaded_(loaded),
        config_(loaded.config),
        rules_(rules_of(config_)),
        router_(rules_, known_),
        problems_(problems) {
    for (const route::Rule& rule : rules_) hosts_.insert(rule.match.host);
  }

  void run() {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (!std::holds_alternative<proxy::RedirectAction>(config_.routes[i].action)) continue;
      const Reach reach = route::reach_of(i, rules_, router_);
      // Which headers a client sends to the next place is not known.
      if (reach.kind != Reach::Kind::kReachable || reach.sample.has_secret || !reach.sample.headers.empty()) continue;
      for (const std::string_view scheme : {"http", "https"}) {
        if (is_served(scheme) && follow(i, reach.sample, scheme)) break;
      }
    }
  }

 private:
  struct Next {
    std::string method;
    std::string location;
  };

  // Whether something else than a redirect to https is answered there.
  bool is_served(std::string_view scheme) const {
    return std::ranges::any_of(config_.listeners, [&](const config::Listener& listener) {
      return listener.tls.has_value() == (scheme == "https") && !listener.redirect_https;
    });
  }

  // True where it ends at a URL that has been gone through, which is told.
  bool follow(std::size_t route, const route::Sample& sample, std::string_view scheme) {
    Question question{sample.url(scheme), {}, sample.client.to_string()};
    if (!sample.cookies.empty()) question.headers.push_back("Cookie: " + sample.cookie_header());
    const std::string own_host = sample.host;
    std::set<std::string> seen;
    std::string way = question.request.substr(question.request.find(' ') + 1);
    for (std::size_t hop = 0; hop < kHopsMax; ++hop) {
      if (!seen.insert(question.request).second)
        return report(route, "this redirect leads back to where it came from: " + way);
      const auto next = redirect_of(question);
      if (!next || !is_ours(next->location, own_host)) return false;
      if (hop < kShownMax) way += " -> " + next->location;
      question.request = next->method + " " + next->location;
    }
    return report(route, fmt::format("this redirect leads to {} others and more: {}", kHopsMax, way));
  }

  // Where a request is redirected to, whole; nothing where it is not, or where that is no URL of a web server.
  std::optional<Next> redirect_of(const Question& question) const {
    auto asked = AskedRequest::make(question, config_);
    // Where nobody here listens somebody else may answer.
    if (!asked || (*asked)->refusal() || (*asked)->listener() == nullptr) return std::nullopt;
    exchange::Request& request = (*asked)->request();
    const config::Listener& listener = *(*asked)->listener();
    if (listener.redirect_https && request.head.scheme != "https") {
      const auto location = proxy::location_by_https(request, listener.redirect_port);
      return location ? std::optional(Next{std::string(request.head.method), std::string(*location)}) : std::nullopt;
    }
    const auto choice = proxy::choose_route(router_, config_.client.paths, request);
    if (!choice.route || choice.is_disguised) return std::nullopt;
    const auto* redirect = std::get_if<proxy::RedirectAction>(&config_.routes[*choice.route].action);
    if (redirect == nullptr) return std::nullopt;
    const auto compiled = proxy::LocationTemplate::compile(redirect->location);  // what is filled in views it
    const auto location = compiled->fill(request);
    if (!location) return std::nullopt;
    return Next{method_after(redirect->status, std::string(request.head.method)), absolute(*location, request)};
  }

  // RFC 9110 15.4: 307 and 308 keep it; by the others POST becomes GET, and by 303 all but HEAD.
  static std::string method_after(std::uint16_t status, const std::string& method) {
    if (status >= 307 || method == "HEAD") return method;
    return status == 303 || method == "POST" ? "GET" : method;
  }

  static std::string absolute(std::string_view location, const exchange::Request& request) {
    if (location.starts_with("//")) return fmt::format("{}:{}", request.head.scheme, location);
    if (!location.starts_with('/')) return std::string(location);
    return fmt::format("{}://{}{}", request.head.scheme, request.head.authority, location);
  }

  // Whether it is a host that the routes name, or the one that was asked for.
  bool is_ours(const std::string& url, const std::string& own_host) const {
    const auto asked = AskedRequest::make({"GET " + url, {}, {}}, config_);
    if (!asked || (*asked)->refusal()) return false;
    const std::string_view host = (*asked)->request().head.host;
    return host == own_host || hosts_.contains(std::string(host));
  }

  bool report(std::size_t route, const std::string& what) {
    const config::Node& node = loaded_.tree->find("routes")->items[route];
    problems_.warning("RP2005", node.find("redirect")->at, what, "let the route match less than where it leads");
    return true;
  }

  const config::Loaded& loaded_;
  const config::Config& config_;
  std::vector<route::Rule> rules_;
  std::vector<route::RuleProblem> known_;
  route::Router router_;
  std::set<std::string> hosts_;
  config::Problems& problems_;
};

bool has_redirects(const config::Config& config) {
  return std::ranges::any_of(config.routes, [](const config::Route& route) {
    return std::holds_alternative<proxy::RedirectAction>(route.action);
  });
}

}  // namespace

void lint_redirects(const config::Loaded& loaded, config::Problems& problems) {
  if (has_redirects(loaded.config)) RedirectLint(loaded, problems).run();
}

}  // namespace rproxy::check
