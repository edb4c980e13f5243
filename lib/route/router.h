// Which rule a request falls to. Compiled once, immutable, shared by all workers.
//
// Order of precedence: priority; exact host, longer wildcard, shorter wildcard, any host; exact path, longer prefix, shorter prefix,
// regex (file order), any path; more predicates (method, header, query, cookie, client_ip) over fewer; file order.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "http/message.h"
#include "route/rule.h"

namespace rproxy::route {

// A problem of one rule; config/ adds the position.
struct RuleProblem {
  std::size_t rule = 0;
  enum class Kind : std::uint8_t { kBadRegex, kBadHost, kBadPath, kDuplicate, kTie } kind = Kind::kBadPath;
  std::size_t other = 0;  // kDuplicate, kTie: the rule it collides with
  std::string detail;
};

class Router {
 public:
  // Copies what it needs of `rules`. Problems of kind kTie are warnings (file order decides); any other makes the router unusable
  // and is returned in `problems` together with the rest.
  Router(std::span<const Rule> rules, std::vector<RuleProblem>& problems);
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // The index of the winning rule. Cost does not grow with the number of hosts or exact and prefix paths: one hash look-up per host
  // label and one per path segment at most. Allocates nothing.
  std::optional<std::size_t> match(const http::RequestHead& head, const IpAddress& client) const;

  std::size_t size() const;

 private:
  struct Table;
  std::unique_ptr<const Table> table_;
};

}  // namespace rproxy::route
