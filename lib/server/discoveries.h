// Keeps the servers of all upstreams up to date, on the control thread.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "net/resolver.h"
#include "server/control.h"
#include "upstream/discovery.h"

namespace rproxy::server {

class Discoveries final : public Control::Resident {
 public:
  explicit Discoveries(net::Loop& loop) : loop_(loop) {}

  // Goes on from what is known of upstreams of the same names.
  void adopt(const std::shared_ptr<const Generation>& generation) override;

 private:
  struct Followed {
    upstream::Upstream& upstream;
    std::optional<upstream::Discovery> discovery;
    explicit Followed(upstream::Upstream& whose) : upstream(whose) {}
  };

  void follow(upstream::Upstream& upstream, const upstream::DiscoverySources& known);

  net::Loop& loop_;
  std::random_device random_;
  std::shared_ptr<const Generation> generation_;  // whose upstreams are followed
  std::optional<net::Resolver> resolver_;
  std::vector<std::unique_ptr<Followed>> followed_;
};

}  // namespace rproxy::server
