// What serve would do with a request, found out by the code by which serve does it.
#pragma once

#include <functional>
#include <vector>

#include "check/explanation.h"
#include "check/question.h"
#include "config/config.h"
#include "route/explainer.h"
#include "route/router.h"

namespace rproxy::check {

// As reports name it.
config::Location location_of(const config::Place& place);
// In the order of the file.
std::vector<route::Rule> rules_of(const config::Config& config);

class Explainer {
 public:
  using Servers = std::function<std::vector<Explanation::Server>(const upstream::Options&)>;

  // `config` and `router`, which is of its routes, outlive it. `servers` says who may be asked just now; by default those of the file.
  Explainer(const config::Config& config, const route::Router& router, Servers servers = servers_of);

  // kFate: without the other routes and why they lost, for which all are read.
  enum class Depth : std::uint8_t { kWhole, kFate };
  Explanation explain(AskedRequest& asked, Depth depth = Depth::kWhole) const;
  // As it came by that listener (null: by none that is known), before any handler has had it. It is left as a server would get it.
  Explanation explain(exchange::Request& request, const config::Listener* listener, Depth depth = Depth::kWhole) const;

  // As the file lists them.
  static std::vector<Explanation::Server> servers_of(const upstream::Options& upstream);

 private:
  void explain_route(exchange::Request& request, Depth depth, Explanation& out) const;
  void add_runners_up(exchange::Request& request, Explanation& out) const;
  void explain_action(exchange::Request& request, const config::Route& route, Explanation& out) const;
  void explain_files(exchange::Request& request, const files::Options& options, Explanation& out) const;
  void explain_forward(exchange::Request& request, const proxy::ForwardAction& action, Explanation& out) const;
  const upstream::Options& choose_upstream(exchange::Request& request, const proxy::ForwardAction& action,
                                           Explanation& out) const;

  const config::Config& config_;
  const route::Router& router_;
  route::Explainer rules_;
  Servers servers_;
};

}  // namespace rproxy::check
