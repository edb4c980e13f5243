// Routes that need no upstream.
#pragma once

#include <string>
#include <vector>

#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::proxy {

// A redirect whose location may use {scheme} {host} {path} {query} {uri}.
class Redirect final : public exchange::Handler {
 public:
  explicit Redirect(const RedirectAction& action);
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  enum class Part : std::uint8_t { kText, kScheme, kHost, kPath, kQuery, kUri };
  struct Piece {
    Part part;
    std::string text;
  };
  std::uint16_t status_;
  std::vector<Piece> pieces_;
};

// Every request to the same place under https (for a listener whose only purpose that is).
class RedirectToHttps final : public exchange::Handler {
 public:
  // `port` 443 is left out of the location.
  explicit RedirectToHttps(std::uint16_t port) : port_(port) {}
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  std::uint16_t port_;
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
