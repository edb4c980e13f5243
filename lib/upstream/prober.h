// Probes of one endpoint, each on a connection of its own: what an active check does, and what `rproxy health` shows.
//
// A probe goes the way of a request (EndpointPool, send()), so that what it finds is what requests would; but nothing of it counts in the
// endpoint's state.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "exchange/exchange.h"
#include "net/connect.h"
#include "net/task.h"
#include "net/tls_context.h"
#include "upstream/health_options.h"
#include "upstream/probe_result.h"
#include "upstream/upstream.h"

namespace rproxy::upstream {

class EndpointPool;
class Lease;

struct ProbeTarget {
  HostPort address;       // of kind kIp or kUnix
  std::string authority;  // the Host where the options name none
  std::string tls_name;   // SNI and the name the certificate must have
};
ProbeTarget probe_target(const Endpoint& endpoint);
// `configured` is what it is called, by a name or by the address.
ProbeTarget probe_target(const HostPort& configured, const net::SocketAddress& address, const std::string& tls_name);

// The check of an upstream that has no `health`: a connection, and TLS where it is spoken.
HealthOptions plain_check(const Options& upstream);

class Prober {
 public:
  // Of `upstream` its tls, protocol, proxy_protocol and limits are used. `loop` and `trusted` outlive the prober; `trusted` null: the
  // system's authorities, or those of tls.ca_file. Errors: kConfig (a regex that is none), kFile.
  static Result<std::unique_ptr<Prober>> create(net::Loop& loop, const Options& upstream, HealthOptions health,
                                                const ProbeTarget& target, net::TlsClientMaterial material,
                                                net::Connect connect = net::connect);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  const HealthOptions& health() const { return health_; }

  // Gives the content of good answers in the result, and takes up to so much of it.
  void keep_content(std::size_t max) {
    keeps_content_ = true;
    content_max_ = max;
  }

  // One at a time. Never longer than health().timeout, up to a tick.
  net::Task<ProbeResult> probe();

 private:
  struct Expectation;
  struct Run;

  Prober(net::Loop& loop, HealthOptions health, const ProbeTarget& target, net::Connect connect);
  bool speaks_http() const { return health_.type == HealthType::kHttp || health_.type == HealthType::kGrpc; }
  Options options_for(const Options& upstream, const ProbeTarget& target) const;
  net::Task<Result<net::StreamPtr>> connect(net::SocketAddress address, Duration timeout);
  net::Task<void> run(EndpointPool& pool, Run& run);
  net::Task<void> ask(Run& run, Lease lease);
  net::Task<void> read_answer(Run& run, exchange::Response& response);
  void judge_serving(Run& run, const exchange::Response& response, std::string_view content) const;
  void prepare(Run& run) const;
  std::string late() const;

  net::Loop& loop_;
  HealthOptions health_;
  std::string authority_;
  std::string grpc_request_;
  net::Connect connect_;
  std::shared_ptr<Upstream> upstream_;
  std::shared_ptr<net::TlsClientContext> tls_;
  net::TlsClientContext::Server* server_ = nullptr;
  std::unique_ptr<Expectation> expected_;
  // Of the content this much is looked at: a page of health is short, and a download is none.
  std::size_t content_max_ = std::size_t{64} * 1024;
  bool keeps_content_ = false;
  Run* run_ = nullptr;  // the one under way
};

}  // namespace rproxy::upstream
