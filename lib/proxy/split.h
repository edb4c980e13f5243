// Which of a route's upstreams takes a request: each its share, and a client always the same as long as the shares stay. When one part
// grows, it keeps the clients it has.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::proxy {

// Numbers that nobody relies upon to be secret.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t roll();

 private:
  std::uint64_t state_;
};

class Split {
 public:
  // `options` has parts and outlives this. For one worker.
  Split(const SplitOptions& options, std::uint64_t seed);

  // Where in the whole a client stands, which decides: 0 is its beginning, the largest number its end.
  struct Chosen {
    std::size_t part = 0;
    std::uint64_t point = 0;
    bool is_new = false;  // the client is to be told by a cookie
  };
  // Takes a cookie that tells it out of the request.
  Chosen choose(exchange::Request& request);
  void give(const exchange::Request& request, exchange::Response& response, const Chosen& chosen) const;

  std::size_t part_at(std::uint64_t point) const;
  static std::uint64_t point_of(const IpAddress& client);

 private:
  const SplitOptions& options_;
  std::vector<std::uint64_t> ends_;  // of the parts, in weights
  Dice dice_;
};

}  // namespace rproxy::proxy
