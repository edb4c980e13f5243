// One look at every endpoint of a configuration with the very probes that `serve` makes, from a process that serves nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "upstream/discovery.h"
#include "upstream/probe_slots.h"
#include "upstream/prober.h"

namespace rproxy::server {

struct SurveyRow {
  std::string upstream;
  std::string endpoint;  // "10.0.0.1:8001"; what can't be resolved as it is written
  std::uint32_t weight = 1;
  upstream::ProbeResult result;
};

// Whether the upstream has an endpoint that takes requests.
bool can_serve(const std::vector<SurveyRow>& rows, const std::string& upstream);

class Survey {
 public:
  struct Options {
    std::vector<std::string> upstreams;  // by name; none: all
    std::vector<std::string> endpoints;  // by address; none: all
    Duration timeout{0};                 // of each probe; 0: as configured
    bool (*is_stopped)() = [] { return false; };
  };

  // `config` outlives the survey.
  Survey(const config::Config& config, Options options);
  Survey(const Survey&) = delete;
  Survey& operator=(const Survey&) = delete;

  // The names of the upstreams looked at. Errors: kConfig where one of the options' has none.
  Result<std::vector<std::string>> names() const;
  // Whether each of the options' endpoints was there in the last round. Errors: kConfig, with the nearest that was.
  Result<void> check_endpoints() const;
  // Blocks for one round, names looked up anew; in the order of the configuration. What is stopped gives what there is by then, and failures of the rest.
  std::vector<SurveyRow> run();

  struct Found {
    const upstream::Options* upstream;
    upstream::DiscoveredEndpoint endpoint;
  };
  // Where the endpoints are, without a probe; blocks. What can't be resolved is a row of `unresolved`.
  std::vector<Found> find_endpoints(std::vector<SurveyRow>& unresolved);

  // What the admin endpoint of a running proxy on that socket answers to GET `path`; blocks. Errors: kBadResponse, with the reason.
  Result<std::string> ask_proxy(const std::string& socket, const std::string& path);

 private:
  net::Task<void> look_at(const upstream::Options& upstream, std::vector<SurveyRow>& rows);
  net::Task<void> probe(const upstream::Options& upstream, upstream::DiscoveredEndpoint found, SurveyRow& row);
  net::Task<void> find(const upstream::Options& upstream, std::vector<SurveyRow>& rows,
                       std::vector<upstream::DiscoveredEndpoint>& found);
  const x509::TrustStore* trusted_by(const upstream::Options& upstream, upstream::ProbeResult& result);
  bool wants(const std::vector<std::string>& wanted, const std::string& name) const;
  bool wants_endpoint(const std::string& name);

  const config::Config& config_;
  const Options options_;
  net::Loop loop_{std::size_t{32} * 1024};
  net::Resolver resolver_;
  upstream::ProbeSlots slots_;
  std::map<std::string, Result<x509::TrustStore>> trusted_;  // by file
  std::vector<std::string> seen_;                            // endpoints there are, wanted or not
};

}  // namespace rproxy::server
