// How an upstream's requests are spread over its servers, and what it is spared of.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>

#include "config/schema.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

using P = balance::PolicyOptions;
using Source = balance::HashKey::Source;

constexpr std::int64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kFactorMax = 10'000;  // percent

void decode_hash_key(Problems& problems, const Node& node, P& out) {
  constexpr const char* kExamples = R"(write "client_ip", "uri", "header:X-User", "cookie:session" or "query:user")";
  if (!expect(problems, node, Node::Kind::kString, "what of a request is hashed", kExamples)) return;
  constexpr std::array<std::pair<std::string_view, Source>, 5> kSources{{{"client_ip", Source::kClientIp},
                                                                         {"uri", Source::kUri},
                                                                         {"header:", Source::kHeader},
                                                                         {"cookie:", Source::kCookie},
                                                                         {"query:", Source::kQuery}}};
  for (const auto& [word, source] : kSources) {
    const bool has_name = word.ends_with(':');
    if (has_name ? !node.text.starts_with(word) : node.text != word) continue;
    const std::string name = node.text.substr(word.size());
    // What a query parameter is called is the application's choice.
    if (has_name && (source == Source::kQuery ? name.empty() : !http::is_token(name))) break;
    out.key = {source, name};
    return;
  }
  problems.error("RP1004", node.at, fmt::format("nothing that can be hashed: {}", shown(node)), kExamples);
}

template <auto... Member, typename T>
void decode_factor(Problems& problems, const Node& node, T& out, std::uint32_t least, const char* why) {
  const auto factor = decode_integer(problems, node, 0, kFactorMax);
  if (!factor) return;
  if (*factor != 0 && *factor < least) {
    problems.error("RP1004", node.at, why,
                   fmt::format("write {} to {}, in percent; 0 turns it off", least, kFactorMax));
    return;
  }
  reach<Member...>(out) = static_cast<std::uint32_t>(*factor);
}

constexpr Key<P> kPolicy = one_of<kPolicies, &P::kind>("policy", "p2c_ewma, round_robin, least_conn, random or hash");

constexpr Key<P> kBalance[] = {
    kPolicy,
    {"key", "string", "of hash: \"client_ip\", \"uri\", \"header:NAME\", \"cookie:NAME\" or \"query:NAME\"",
     decode_hash_key, [](const P& o) { return quote_toml(balance::to_string(o.key)); }},
    within<P>({0, kFactorMax},
              {"load_factor", "integer",
               "of hash: who has more than this percentage of the average requests in flight is passed over; 0: nobody",
               [](Problems& p, const Node& n, P& o) {
                 decode_factor<&P::load_factor>(p, n, o, 100, "not everybody can be below the average");
               },
               [](const P& o) { return render_value(o.load_factor); }}),
};

using E = balance::EjectionOptions;

template <auto Member>
constexpr auto left_alone(std::string_view name, std::string_view meaning) {
  auto made = key<Member>(name, meaning);
  made.decode = [](Problems& problems, const Node& node, E& out) {
    Duration time = out.*Member;
    decode_value(problems, node, time);
    if (time.count() != 0) {
      out.*Member = time;
    } else {
      problems.error("RP1004", node.at, "a server is left alone for a time",
                     "the least is \"1ms\"; ejection = false leaves none alone");
    }
  };
  return made;
}

constexpr Key<E> kEjection[] = {
    key<&E::consecutive_failures>("consecutive_failures",
                                  "connect failures, resets, timeouts, or answers cut short, in a row; 0: never"),
    key<&E::consecutive_5xx>("consecutive_5xx", "responses of 500 and above, and failures, in a row; 0: never"),
    key<&E::consecutive_gateway>("consecutive_gateway", "502, 503, 504, and failures, in a row; 0: never"),
    left_alone<&E::base_time>("base_time", "the first time out; doubles each time, less one step a quiet interval"),
    left_alone<&E::max_time>("max_time", "the longest time out"),
    ranged<0, 100, &E::max_percent>("max_percent", "of the servers may be out, but always one; 0: none"),
    lasting<&E::interval>("interval", "so often servers are compared with their peers"),
    ranged<0, kFactorMax, &E::success_rate_factor>(
        "success_rate_factor",
        "percent of a standard deviation that a server's successes may be below the mean, such as 190; 0: any"),
    within<E>({0, kFactorMax}, {"latency_factor", "integer",
                                "percent of its peers' median that a server's mean latency may be, such as 300; 0: any",
                                [](Problems& p, const Node& n, E& o) {
                                  decode_factor<&E::latency_factor>(p, n, o, 101,
                                                                    "a server as quick as most is no outlier");
                                },
                                [](const E& o) { return render_value(o.latency_factor); }}),
    key<&E::latency_min>("latency_min", "who is quicker is no outlier"),
    ranged<2, kMax32, &E::min_hosts>("min_hosts", "servers are compared when so many have enough requests"),
    ranged<1, kMax32, &E::min_requests>("min_requests", "in an interval, to be compared"),
};

}  // namespace

Keys<balance::PolicyOptions> balance_keys() { return kBalance; }
Keys<balance::EjectionOptions> ejection_keys() { return kEjection; }

void decode_balance(Problems& problems, const Node& node, upstream::Options& out) {
  if (node.is(Node::Kind::kTable)) {
    decode_table<P>(problems, node, "balance", kBalance, out.policy);
    if (!node.is_whole() || out.policy.kind == balance::PolicyKind::kHash) return;
    for (const char* name : {"key", "load_factor"}) {
      if (const Node* value = node.find(name))
        problems.error("RP1006", value->at, fmt::format("{} is hash's", name), "policy = \"hash\", or delete it");
    }
    return;
  }
  if (expect(problems, node, Node::Kind::kString, "a policy", R"("round_robin" or { policy = "hash", key = "uri" })"))
    kPolicy.decode(problems, node, out.policy);
}

std::string render_balance(const upstream::Options& from) {
  const P& policy = from.policy;
  if (policy.kind != balance::PolicyKind::kHash) return quote_toml(balance::to_string(policy.kind));
  return fmt::format("{{ policy = \"hash\", key = {}, load_factor = {} }}", quote_toml(balance::to_string(policy.key)),
                     policy.load_factor);
}

void decode_ejection(Problems& problems, const Node& node, upstream::Options& out) {
  if (node.is(Node::Kind::kBool) && !node.flag) {
    out.ejection.consecutive_failures = 0;
    return;
  }
  decode_table<E>(problems, node, "ejection", kEjection, out.ejection);
  const Node* longest = node.find("max_time");
  if (longest == nullptr || node.find("base_time") == nullptr || out.ejection.base_time <= out.ejection.max_time)
    return;
  problems.error("RP1006", longest->at, "max_time is shorter than base_time", "the first time out is base_time");
}

}  // namespace rproxy::config
