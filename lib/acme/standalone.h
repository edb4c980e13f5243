// Answers challenges where no proxy does: on sockets of its own, as long as a command needs them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "acme/solvers.h"
#include "base/address.h"
#include "base/result.h"
#include "net/loop.h"

namespace rproxy::acme {

class Standalone {
 public:
  // Nothing: that kind is not answered.
  struct Options {
    std::optional<HostPort> http;
    std::optional<HostPort> tls;
  };

  // Serves from then on what is found in `places`. `loop` outlives it. Errors: kCannotBind, also where somebody else listens there.
  static Result<std::unique_ptr<Standalone>> open(net::Loop& loop, const Options& options, const ProofPlaces& places);
  Standalone(const Standalone&) = delete;
  Standalone& operator=(const Standalone&) = delete;
  ~Standalone();

 private:
  class HttpDoor;
  class TlsDoor;

  Standalone();
  std::unique_ptr<HttpDoor> http_;
  std::unique_ptr<TlsDoor> tls_;
};

}  // namespace rproxy::acme
