// Routes that need no upstream. What they answer is the operator's word: gRPC clients, too, get it as it is.
#pragma once

#include <cstdint>
#include <utility>

#include "exchange/exchange.h"
#include "proxy/location_template.h"
#include "proxy/options.h"

namespace rproxy::proxy {

class Redirect final : public exchange::Handler {
 public:
  Redirect(std::uint16_t status, LocationTemplate location) : status_(status), location_(std::move(location)) {}
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  std::uint16_t status_;
  LocationTemplate location_;
};

// The same place under https; `port` 443 is left out. kBadRequest without a Host, for there is no telling where to.
Result<std::string_view> location_by_https(const exchange::Request& request, std::uint16_t port);

// Every request to the same place under https (for a listener whose only purpose that is). Those that came over TLS to a proxy in front,
// which has told so, go on to `next`: they would be redirected for ever.
class RedirectToHttps final : public exchange::Handler {
 public:
  // `next` outlives the handler.
  RedirectToHttps(std::uint16_t port, exchange::Handler& next) : port_(port), next_(next) {}
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  std::uint16_t port_;
  exchange::Handler& next_;
};

class Respond final : public exchange::Handler {
 public:
  // `action` outlives the handler.
  explicit Respond(const RespondAction& action) : action_(action) {}
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  const RespondAction& action_;
};

}  // namespace rproxy::proxy
