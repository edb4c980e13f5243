// Everything that follows from one configuration and that all workers share, immutable: a reload builds another and swaps it whole.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "check/explain.h"
#include "codec/memory.h"
#include "config/config.h"
#include "files/file_server.h"
#include "filter/dictionaries.h"
#include "metrics/catalogue.h"
#include "proxy/proxy.h"
#include "route/router.h"
#include "server/tls_material.h"
#include "storage/cache.h"
#include "upstream/upstream.h"

namespace rproxy::server {

class Generation {
 public:
  // Looks for upstreams' servers, reads certificates, compiles routes. What was learnt of upstreams that `previous` has, too, goes on.
  // Errors name what failed: kResolveFailed, where servers that are required can't be found, kFile, kConfig.
  static Result<std::shared_ptr<const Generation>> build(config::Config config, const Generation* previous = nullptr);

  // What its upstreams share with those before is told what is configured now: when it is certain that it serves.
  void take_over() const;

  const config::Config& config() const { return config_; }
  const route::Router& router() const { return *router_; }
  const std::vector<std::shared_ptr<upstream::Upstream>>& upstreams() const { return upstreams_; }
  // plans()[i] belongs to config().routes[i]; null where the route answers by itself.
  const std::vector<std::unique_ptr<proxy::Proxy::Plan>>& plans() const { return plans_; }
  // The same of those that serve files.
  const std::vector<std::unique_ptr<files::FileServer::Plan>>& file_plans() const { return file_plans_; }
  // upstream_of()[i] is the index into upstreams() for route i.
  std::size_t upstream_index(const std::string& name) const { return upstream_by_name_.at(name); }
  // Null: there is none of that name.
  const upstream::Upstream* find_upstream(const std::string& name) const;
  const TlsMaterial& tls() const { return tls_; }
  // Null: nobody may ask for it.
  const check::Explainer* explainer() const { return explainer_.get(); }
  // Null: no route has one.
  const std::shared_ptr<storage::Cache>& cache() const { return cache_; }
  const std::shared_ptr<filter::Dictionaries>& dictionaries() const { return dictionaries_; }
  // Taken by what makes coded forms of cached contents; one for the process's life.
  const std::shared_ptr<codec::Tally>& forms_memory() const { return forms_memory_; }
  // Its routes and listeners are those of the configuration, in their order.
  const std::shared_ptr<const metrics::Catalogue>& catalogue() const { return catalogue_; }

 private:
  explicit Generation(config::Config config) : config_(std::move(config)) {}
  Result<void> build_upstreams(const Generation* previous);
  Result<void> build_routes();
  Result<void> build_file_plans(const Generation* previous);
  void build_explainer();
  Result<std::unique_ptr<proxy::Proxy::Plan>> build_plan(const proxy::ForwardAction& action) const;

  config::Config config_;
  std::optional<route::Router> router_;
  std::vector<std::shared_ptr<upstream::Upstream>> upstreams_;
  std::unordered_map<std::string, std::size_t> upstream_by_name_;
  std::vector<std::unique_ptr<proxy::Proxy::Plan>> plans_;
  std::shared_ptr<files::Shared> shared_files_;  // null: no route serves any
  std::vector<std::unique_ptr<files::FileServer::Plan>> file_plans_;
  std::unique_ptr<const check::Explainer> explainer_;
  TlsMaterial tls_;
  std::shared_ptr<const metrics::Catalogue> catalogue_;
  std::shared_ptr<storage::Cache> cache_;
  std::shared_ptr<filter::Dictionaries> dictionaries_;
  std::shared_ptr<codec::Tally> forms_memory_;
};

}  // namespace rproxy::server
