// Large objects as slices, each asked for by a range and cached for itself: a film need not come whole before its middle is given, nor be
// asked for again as a whole where a part of it has gone.
#pragma once

#include <cstdint>
#include <memory>

#include "exchange/exchange.h"

namespace rproxy::proxy {

class SlicedProxy final : public exchange::Handler {
 public:
  // `size` of a slice, in bytes. `next` caches what answers single ranges.
  SlicedProxy(std::uint64_t size, std::unique_ptr<exchange::Handler> next) : size_(size), next_(std::move(next)) {}

  // Where the upstream knows no ranges, or has no validator that tells one version from another, all is as without slices.
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  net::Task<Result<exchange::Response>> assemble(exchange::Request& request);

  const std::uint64_t size_;
  std::unique_ptr<exchange::Handler> next_;
};

}  // namespace rproxy::proxy
