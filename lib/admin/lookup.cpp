#include "admin/lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/endpoint_view.h"

namespace rproxy::admin {

Found<std::shared_ptr<upstream::Upstream>> find_upstream(const Call& call) {
  const auto& all = call.subject.serving.upstreams;
  const std::string& name = call.names.at(0);
  const auto found = std::ranges::find_if(all, [&name](const auto& each) { return each->name() == name; });
  if (found != all.end()) return *found;
  return tl::unexpected(problem(404, fmt::format("there is no upstream {}", name)));
}

Found<upstream::EndpointPtr> find_endpoint(const Call& call) {
  const auto upstream = find_upstream(call);
  if (!upstream) return tl::unexpected(upstream.error());
  const std::string& name = call.names.at(1);
  const auto set = (*upstream)->endpoints();
  std::vector<upstream::EndpointPtr> found;
  for (const auto& each : set->endpoints()) {
    if (address_of(*each) == name) return each;
    if (each->state.name() == name) found.push_back(each);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return tl::unexpected(problem(404, fmt::format("upstream {} has no endpoint {}", (*upstream)->name(), name)));
  }
  std::string addresses;
  for (const auto& each : found) addresses += (addresses.empty() ? "" : ", ") + address_of(*each);
  return tl::unexpected(problem(409, fmt::format("{} is several endpoints: name one of {}", name, addresses)));
}

}  // namespace rproxy::admin
