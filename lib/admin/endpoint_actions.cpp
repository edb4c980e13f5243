// Those that change which endpoints take requests, and how many.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "admin/actions.h"
#include "admin/endpoint_view.h"
#include "admin/lookup.h"
#include "admin/views.h"
#include "base/log.h"
#include "net/socket_address.h"

namespace rproxy::admin {
namespace {

using balance::AdminState;

constexpr std::int64_t kWeightMax = 1000;
// A priority, and a number of connections: what a configuration may say.
constexpr std::int64_t kNumberMax = 1'000'000;

Answer set_state(Call& call, AdminState state) {
  const auto endpoint = find_endpoint(call);
  if (!endpoint) return endpoint.error();
  (*endpoint)->state.set_admin_state(state, call.now);
  log::info("admin: {} of upstream {} is {}", address_of(**endpoint), call.names[0], balance::to_string(state));
  return json_answer(endpoint_view(**endpoint, call.now));
}

// What is asked for may have no member but these.
std::optional<Answer> check_members(const Json& content, std::span<const std::string_view> known) {
  for (const auto& [name, value] : content.items()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return problem(400, fmt::format("unknown member {}: there are {}", name, fmt::join(known, ", ")));
  }
  return std::nullopt;
}

// A whole number within the bounds; `out` stays as it is where it is left out.
std::optional<Answer> take_number(const Json& content, const char* name, std::int64_t max, std::uint32_t& out) {
  const auto found = content.find(name);
  if (found == content.end()) return std::nullopt;
  const bool is_unsigned = found->is_number_unsigned();
  if (!is_unsigned || found->get<std::uint64_t>() > static_cast<std::uint64_t>(max)) {
    return problem(400, fmt::format("{} is a whole number from 0 to {}", name, max));
  }
  out = found->get<std::uint32_t>();
  return std::nullopt;
}

std::optional<Answer> take_backup(const Json& content, std::uint32_t& priority) {
  const auto found = content.find("backup");
  if (found == content.end()) return std::nullopt;
  if (!found->is_boolean()) return problem(400, "backup is true or false");
  if (content.contains("priority"))
    return problem(400, "either priority or backup: a backup's comes after every number");
  if (found->get<bool>()) priority = balance::kBackupPriority;
  return std::nullopt;
}

tl::expected<balance::EndpointOptions, Answer> options_of(const Json& content) {
  constexpr std::string_view kMembers[] = {"address", "weight", "priority", "backup", "max_connections"};
  if (auto bad = check_members(content, kMembers)) return tl::unexpected(*bad);
  const auto address = content.find("address");
  if (address == content.end() || !address->is_string()) {
    return tl::unexpected(problem(400, "address is missing: \"10.0.0.1:8001\""));
  }
  balance::EndpointOptions options;
  const auto parsed = HostPort::parse(address->get_ref<const std::string&>());
  const bool is_ip = parsed && parsed->kind == HostPort::Kind::kIp && parsed->port != 0;
  if (!is_ip && (!parsed || parsed->kind != HostPort::Kind::kUnix)) {
    return tl::unexpected(problem(400,
                                  "address is an IP address with a port, or \"unix:\" with a path: names are for the "
                                  "configuration"));
  }
  options.address = *parsed;
  if (auto bad = take_number(content, "weight", kWeightMax, options.weight)) return tl::unexpected(*bad);
  if (auto bad = take_number(content, "priority", kNumberMax, options.priority)) return tl::unexpected(*bad);
  if (auto bad = take_number(content, "max_connections", kNumberMax, options.max_connections)) {
    return tl::unexpected(*bad);
  }
  if (auto bad = take_backup(content, options.priority)) return tl::unexpected(*bad);
  return options;
}

// The next answer would undo what is changed here.
std::optional<Answer> check_list(const upstream::Upstream& upstream) {
  const upstream::Options& options = upstream.options();
  const auto has_name = [](const auto& each) { return each.address.kind == HostPort::Kind::kName; };
  if (options.sources.empty() && std::ranges::none_of(options.endpoints, has_name)) return std::nullopt;
  return problem(409,
                 fmt::format("the servers of upstream {} are discovered: disable one instead, or change what names "
                             "them",
                             upstream.name()));
}

std::vector<upstream::EndpointPtr> endpoints_of(const upstream::Upstream& upstream) {
  const auto set = upstream.endpoints();
  return {set->endpoints().begin(), set->endpoints().end()};
}

}  // namespace

Answer drain_endpoint(Call& call) { return set_state(call, AdminState::kDraining); }
Answer disable_endpoint(Call& call) { return set_state(call, AdminState::kDisabled); }
Answer enable_endpoint(Call& call) { return set_state(call, AdminState::kEnabled); }

Answer put_weight(Call& call) {
  constexpr std::string_view kMembers[] = {"weight"};
  const auto endpoint = find_endpoint(call);
  if (!endpoint) return endpoint.error();
  if (auto bad = check_members(call.content, kMembers)) return *bad;
  if (!call.content.contains("weight")) return problem(400, "weight is missing: {\"weight\": 10}");
  std::uint32_t weight = 0;
  if (auto bad = take_number(call.content, "weight", kWeightMax, weight)) return *bad;
  (*endpoint)->state.set_weight(weight);
  log::info("admin: {} of upstream {} has weight {}", address_of(**endpoint), call.names[0], weight);
  return json_answer(endpoint_view(**endpoint, call.now));
}

Answer add_endpoint(Call& call) {
  const auto upstream = find_upstream(call);
  if (!upstream) return upstream.error();
  if (auto refused = check_list(**upstream)) return *refused;
  const auto options = options_of(call.content);
  if (!options) return options.error();
  const auto address = net::to_socket_address(options->address);
  if (!address) return problem(400, "the socket's path is too long");
  auto endpoints = endpoints_of(**upstream);
  const auto same = [&address](const auto& each) { return each->address == *address; };
  if (std::ranges::any_of(endpoints, same)) {
    return problem(409, fmt::format("upstream {} has {} already", call.names[0], options->address.to_string()));
  }
  const auto added = (*upstream)->find_or_make(*options, *address);
  // Among others it takes its share by and by.
  if (!endpoints.empty()) added->state.begin_slow_start(call.now);
  endpoints.push_back(added);
  (*upstream)->replace(std::move(endpoints));
  log::info("admin: upstream {} has {} from now on", call.names[0], address_of(*added));
  return json_answer(endpoint_view(*added, call.now), 201);
}

Answer remove_endpoint(Call& call) {
  const auto endpoint = find_endpoint(call);
  if (!endpoint) return endpoint.error();
  const auto upstream = find_upstream(call);
  if (auto refused = check_list(**upstream)) return *refused;
  auto endpoints = endpoints_of(**upstream);
  if (endpoints.size() == 1)
    return problem(409, "it is the only one of its upstream: disable it, or add another first");
  std::erase(endpoints, *endpoint);
  (*upstream)->replace(std::move(endpoints));
  log::info("admin: upstream {} has {} no more", call.names[0], address_of(**endpoint));
  return {204, {}, {}, {}};
}

}  // namespace rproxy::admin
