// One upstream as all workers share it: its options, and per endpoint the resolved address and the balancing state.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "balance/endpoint.h"
#include "base/result.h"
#include "net/socket_address.h"
#include "upstream/options.h"

namespace rproxy::upstream {

struct Endpoint {
  balance::EndpointState state;
  net::SocketAddress address;
  std::string tls_name;  // SNI and the name the certificate must have

  Endpoint(const balance::EndpointOptions& options, std::shared_ptr<balance::Peers> peers)
      : state(options, std::move(peers)) {}
};

class Upstream {
 public:
  // Resolves names (blocking; start-up and reload only). A name with several addresses becomes an endpoint for each.
  // Errors: kResolveFailed.
  static Result<std::unique_ptr<Upstream>> create(Options options);

  const Options& options() const { return options_; }
  const std::string& name() const { return options_.name; }
  std::span<const std::unique_ptr<Endpoint>> endpoints() const { return endpoints_; }
  std::span<balance::EndpointState* const> states() const { return states_; }

 private:
  explicit Upstream(Options options)
      : options_(std::move(options)), peers_(std::make_shared<balance::Peers>(options_.ejection)) {}

  Options options_;
  std::shared_ptr<balance::Peers> peers_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<balance::EndpointState*> states_;
};

}  // namespace rproxy::upstream
