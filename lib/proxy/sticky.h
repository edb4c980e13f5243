// Which endpoint a client belongs to, told to the client by a cookie: it names nobody, and nobody else can make one up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exchange/exchange.h"
#include "upstream/pool.h"

namespace rproxy::proxy {

// For one worker; the cookies are the same in all workers and all proxies that have the secret.
class StickyCookies {
 public:
  // The pool's upstream is sticky. The pool outlives this.
  explicit StickyCookies(upstream::Pool& pool);

  // Whom the client belongs to; null where it does not say, or not truly, or where the endpoint has gone. Takes the cookie out of the
  // request: it is none of the backend's business, and would let one backend's logs be used at another.
  upstream::EndpointPtr take(exchange::Request& request);
  // Tells the client that from now on it belongs to `endpoint`.
  void give(const exchange::Request& request, exchange::Response& response, const upstream::Endpoint& endpoint);

 private:
  // The first part finds the endpoint, the second proves that it is our word. Both are of one HMAC.
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kSize = 48;
  struct Known {
    upstream::EndpointPtr endpoint;
    std::string value;
  };

  void update();
  std::string value_of(const upstream::Endpoint& endpoint) const;

  upstream::Pool& pool_;
  const upstream::StickyOptions& options_;
  const std::string key_;
  std::uint64_t version_ = 0;
  std::unordered_map<std::string, Known> by_tag_;
  std::unordered_map<const upstream::Endpoint*, std::string> values_;
};

}  // namespace rproxy::proxy
