// Lets through who brings the token.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "exchange/exchange.h"

namespace rproxy::admin {

class Gate final : public exchange::Handler {
 public:
  // `token` is not empty. `next` outlives the gate.
  Gate(std::string token, exchange::Handler& next) : token_(std::move(token)), next_(next) {}

  void set_token(std::string token) { token_ = std::move(token); }
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  bool may_pass(const exchange::Request& request) const;

  std::string token_;
  exchange::Handler& next_;
};

// Takes as long wherever the two differ: the time tells nothing of `secret` but how long it is.
bool is_same_secret(std::string_view secret, std::string_view told);

}  // namespace rproxy::admin
