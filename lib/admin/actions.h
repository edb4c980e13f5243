// What can be asked for, one function each.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "admin/answer.h"
#include "admin/subject.h"

namespace rproxy::admin {

struct Call {
  Subject& subject;
  TimePoint now;
  std::vector<std::string> names;  // of what is in the path: upstream, endpoint
  Json content;                    // an object, where there is one
  std::shared_ptr<void> held;      // the answer is given once everybody has let it go, on whichever thread
};

Answer get_health(Call& call);
Answer get_readiness(Call& call);
Answer get_metrics(Call& call);
Answer get_status(Call& call);
Answer get_config(Call& call);
Answer get_upstreams(Call& call);
Answer get_upstream(Call& call);
Answer get_endpoint(Call& call);

Answer drain_endpoint(Call& call);
Answer disable_endpoint(Call& call);
Answer enable_endpoint(Call& call);
Answer put_weight(Call& call);
Answer add_endpoint(Call& call);
Answer remove_endpoint(Call& call);

Answer get_certificates(Call& call);
Answer renew_certificate(Call& call);

Answer get_cache(Call& call);
Answer list_cache(Call& call);
Answer show_cache(Call& call);
Answer why_cache(Call& call);
Answer purge_cache(Call& call);

}  // namespace rproxy::admin
