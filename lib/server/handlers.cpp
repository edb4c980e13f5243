#include "server/handlers.h"

#include <utility>
#include <variant>

#include "acme/challenge_handler.h"
#include "filter/client_cert.h"
#include "filter/compression.h"
#include "filter/grpc_web.h"
#include "proxy/cache_scope.h"
#include "proxy/cached_proxy.h"
#include "proxy/fixed_answers.h"
#include "proxy/sliced_proxy.h"
#include "server/explain_handler.h"

namespace rproxy::server {

Handlers::Handlers(net::Loop& loop, std::shared_ptr<const Generation> generation, std::uint64_t seed,
                   const Handlers* previous)
    : loop_(loop),
      generation_(std::move(generation)),
      codecs_(previous != nullptr ? previous->codecs_ : std::make_shared<filter::Codecs>()) {
  codecs_->dictionaries = generation_->dictionaries();
  codecs_->forms = generation_->forms_memory();
  build_pools(seed, previous);
  build_routes(seed);
  for (const auto& listener : generation_->config().listeners) {
    redirects_.push_back(
        listener.redirect_https ? std::make_unique<proxy::RedirectToHttps>(listener.redirect_port, *root_) : nullptr);
    if (const auto* explainer = generation_->explainer()) {
      exchange::Handler& next = redirects_.back() ? *redirects_.back() : *root_;
      explainers_.push_back(
          std::make_unique<ExplainHandler>(generation_->config().explain, *explainer, listener, next));
    }
  }
  const auto& issued = generation_->tls().issued();
  for (std::size_t i = 0; issued != nullptr && i < generation_->config().listeners.size(); ++i) {
    challenges_.push_back(std::make_unique<acme::ChallengeHandler>(issued->proofs(), behind_challenges(i)));
  }
}

void Handlers::build_pools(std::uint64_t seed, const Handlers* previous) {
  for (const auto& upstream : generation_->upstreams()) {
    const auto* before = previous != nullptr ? previous->find(*upstream, generation_->tls()) : nullptr;
    upstream::Reach reach{upstream, before != nullptr ? before->tls : nullptr};
    if (before == nullptr && upstream->options().tls.enabled) reach.tls = generation_->tls().client_context(*upstream);
    auto tls = reach.tls;
    auto pool = std::make_unique<upstream::Pool>(loop_, std::move(reach), seed + supplies_.size(),
                                                 before != nullptr ? before->pool.get() : nullptr);
    supplies_.push_back({std::move(tls), std::move(pool)});
  }
}

// Of an upstream that goes by the same name and proves in the same way who it is.
const Handlers::Supply* Handlers::find(const upstream::Upstream& upstream, const TlsMaterial& tls) const {
  const upstream::Upstream* before = generation_->find_upstream(upstream.name());
  if (before == nullptr) return nullptr;
  const upstream::Options& a = before->options();
  const upstream::Options& b = upstream.options();
  if (a.tls != b.tls || a.protocol != b.protocol) return nullptr;
  if (generation_->tls().trusted(*before) != tls.trusted(upstream)) return nullptr;
  return &supplies_[generation_->upstream_index(upstream.name())];
}

void Handlers::build_routes(std::uint64_t seed) {
  const config::Config& config = generation_->config();
  std::vector<proxy::RouteHandler::Route> chains;
  chains.reserve(config.routes.size());
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    auto& series = generation_->catalogue()->routes()[i].series->of(loop_.number());
    auto chain = make_chain(config.routes[i], i, seed);
    if (const auto& options = config.routes[i].compression; options.enabled) {
      chain = std::make_unique<filter::Compression>(options, config.compression, codecs_, std::move(chain));
    }
    if (const auto& rule = config.routes[i].client_cert; rule.is_needed)
      chain = std::make_unique<filter::ClientCert>(rule, std::move(chain));
    chains.push_back({config.routes[i].rule.name, std::move(chain), &series, config.routes[i].strict_transport});
  }
  root_ = std::make_unique<proxy::RouteHandler>(generation_->router(), config.forwarding, std::move(chains),
                                                config.client.paths);
}

std::unique_ptr<exchange::Handler> Handlers::make_chain(const config::Route& route, std::size_t index,
                                                        std::uint64_t seed) {
  if (const auto* redirect = std::get_if<proxy::RedirectAction>(&route.action)) {
    return std::make_unique<proxy::Redirect>(redirect->status,
                                             proxy::LocationTemplate::compile(redirect->location).value());
  }
  if (const auto* respond = std::get_if<proxy::RespondAction>(&route.action)) {
    return std::make_unique<proxy::Respond>(*respond);
  }
  if (const auto* files = generation_->file_plans()[index].get()) {
    auto server = std::make_unique<files::FileServer>(*files);
    file_servers_.push_back(server.get());
    return server;
  }
  const auto& plan = *generation_->plans()[index];
  const auto pool_of = [this](const std::string& name) {
    return supplies_[generation_->upstream_index(name)].pool.get();
  };
  std::vector<upstream::Pool*> targets;
  for (const auto& name : plan.action.targets()) targets.push_back(pool_of(name));
  upstream::Pool* const shadow = plan.action.mirror ? pool_of(plan.action.mirror->upstream) : nullptr;
  std::unique_ptr<exchange::Handler> chain =
      std::make_unique<proxy::Proxy>(plan, generation_->config().forwarding, targets, shadow, seed + index);
  if (plan.action.cache.enabled) {
    chain =
        std::make_unique<proxy::CachedProxy>(*generation_->cache(), plan.action.cache, proxy::cache_scope(plan.action),
                                             generation_->config().forwarding.via_name, users_, std::move(chain));
    if (const auto slice = plan.action.cache.slice.bytes; slice != 0) {
      chain = std::make_unique<proxy::SlicedProxy>(slice, std::move(chain));
    }
  }
  if (plan.action.grpc_web) return std::make_unique<filter::GrpcWeb>(std::move(chain));
  return chain;
}

exchange::Handler& Handlers::at(std::size_t listener) const {
  return challenges_.empty() ? behind_challenges(listener) : *challenges_[listener];
}

exchange::Handler& Handlers::behind_challenges(std::size_t listener) const {
  if (!explainers_.empty()) return *explainers_[listener];
  exchange::Handler* redirect = redirects_[listener].get();
  return redirect != nullptr ? *redirect : *root_;
}

void Handlers::sweep(TimePoint now) {
  for (const auto& supply : supplies_) supply.pool->sweep(now);
  for (files::FileServer* server : file_servers_) server->sweep(now);
}

void Handlers::close_idle() {
  for (const auto& supply : supplies_) supply.pool->close_idle();
}

void Handlers::retire() {
  for (const auto& supply : supplies_) supply.pool->retire();
}

}  // namespace rproxy::server
