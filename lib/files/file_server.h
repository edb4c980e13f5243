// A route's files: what a request's path names below a root, as nginx serves it. What it answers is the operator's word: gRPC clients, too,
// get it as it is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "exchange/exchange.h"
#include "files/held_files.h"
#include "files/options.h"
#include "files/root.h"
#include "files/shared.h"
#include "route/rewrite.h"

namespace rproxy::files {

// GET and HEAD; the others are told so.
bool serves_method(http::Method method);

class FileServer final : public exchange::Handler {
 public:
  // What all workers share of it.
  struct Plan {
    Options options;
    std::optional<route::Rewrite> rewrite;
    std::shared_ptr<Root> root;
    std::shared_ptr<Shared> shared;
  };
  // `plan` outlives the handler.
  explicit FileServer(const Plan& plan);

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;
  // Called about once a second.
  void sweep(TimePoint now);

 private:
  // What there is by a name, ready to be answered with.
  struct Found {
    // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
    explicit Found(Look::Kind what, int why = 0) : kind(what), error(why) {}
    explicit Found(ResourcePtr file) : kind(Look::Kind::kFile), resource(std::move(file)) {}
    Look::Kind kind;
    int error = 0;
    ResourcePtr resource;
  };

  net::Task<Result<exchange::Response>> look_for(exchange::Request& request, std::string name);
  net::Task<Result<exchange::Response>> serve_directory(exchange::Request& request, std::string name);
  net::Task<Result<exchange::Response>> list_directory(exchange::Request& request, std::string name);
  net::Task<Result<exchange::Response>> serve_fallback(exchange::Request& request, Found found);
  net::Task<Found> find(net::Loop& loop, std::string name);
  net::Task<Look> look_elsewhere(net::Loop& loop, std::string name);
  exchange::Response answer(exchange::Request& request, const ResourcePtr& resource) const;
  exchange::Response refuse(exchange::Request& request, const Found& found) const;
  void look_at_root(TimePoint now);

  const Plan& plan_;
  HeldFiles held_;
  std::uint64_t root_version_;
};

}  // namespace rproxy::files
