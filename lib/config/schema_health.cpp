#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "config/schema.h"
#include "config/text.h"
#include "http/characters.h"
#include "http/fields.h"
#include "route/predicate.h"

namespace rproxy::config {
namespace {

using H = upstream::HealthOptions;

// In the order of their enumerators.
constexpr std::array kTypes{"tcp", "tls", "http", "grpc"};
constexpr std::array kInitial{"healthy", "unhealthy", "unchecked"};

// Shorter ones are the load that they are to find.
constexpr Duration kIntervalMin{100};
constexpr std::size_t kTextMax = 4096;

void decode_path(Problems& problems, const Node& node, H& out) {
  if (!expect(problems, node, Node::Kind::kString, "a path", "health = \"/healthz\"")) return;
  const auto is_visible = [](char c) { return http::is(c, http::kQueryChar); };
  if (node.text.starts_with('/') && std::ranges::all_of(node.text, is_visible)) {
    out.path = node.text;
    return;
  }
  problems.error("RP1004", node.at, fmt::format("not a path to ask for: {}", shown(node)),
                 "it begins with '/', and has no spaces; \"/healthz\"");
}

void decode_method(Problems& problems, const Node& node, H& out) {
  decode_value(problems, node, out.method);
  if (http::is_token(out.method) && out.method != "CONNECT") return;
  problems.error("RP1004", node.at, fmt::format("not a method to ask with: {}", shown(node)), "\"GET\" or \"HEAD\"");
}

void decode_host(Problems& problems, const Node& node, H& out) {
  decode_value(problems, node, out.host);
  const auto is_visible = [](char c) { return http::is(c, http::kQueryChar) && c != '/' && c != '@' && c != '?'; };
  if (std::ranges::all_of(out.host, is_visible)) return;
  problems.error("RP1004", node.at, fmt::format("not a host: {}", shown(node)), "\"shop.com\" or \"shop.com:8080\"");
}

// What the check says by itself.
bool is_ours(std::string_view name) {
  static constexpr std::string_view kNames[] = {"connection", "content-length",    "host",   "keep-alive",
                                                "te",         "transfer-encoding", "upgrade"};
  return std::ranges::any_of(kNames, [&](std::string_view ours) { return http::equals_ignoring_case(ours, name); });
}

void decode_headers(Problems& problems, const Node& node, H& out) {
  if (!expect(problems, node, Node::Kind::kTable, "a table such as { Name = \"value\" }")) return;
  for (const Member& member : node.members) {
    std::string value;
    decode_value(problems, member.value, value);
    if (!http::is_token(member.key)) {
      problems.error("RP1004", member.at, fmt::format("not a header name: {}", quote_toml(cut_text(member.key))),
                     "letters, digits and '-'");
    } else if (is_ours(member.key)) {
      problems.error("RP1210", member.at, fmt::format("{} is written by the check itself", member.key),
                     http::equals_ignoring_case(member.key, "host") ? "host = \"...\"" : "delete it");
    }
    if (!http::is_field_text(value)) {
      problems.error("RP1004", member.value.at, "a header value has no control characters",
                     "write it in one line, without \\n and the like");
    }
    out.headers.emplace_back(member.key, std::move(value));
  }
}

void decode_status(Problems& problems, const Node& node, H& out) {
  std::string text = node.is(Node::Kind::kInteger) ? std::to_string(node.integer) : node.text;
  if (!node.is(Node::Kind::kInteger) && !expect(problems, node, Node::Kind::kString, "statuses", "\"200-299,304\""))
    return;
  if (auto set = upstream::StatusSet::parse(text)) {
    out.expect_status = std::move(*set);
  } else {
    problems.error("RP1004", node.at, fmt::format("not a set of statuses: {}", shown(node)),
                   "numbers from 100 to 599 and ranges: \"200-299,304\", \"2xx\"");
  }
}

void decode_text(Problems& problems, const Node& node, H& out) {
  decode_value(problems, node, out.expect_body);
  if (out.expect_body.size() <= kTextMax) return;
  problems.error("RP1004", node.at, fmt::format("a text of more than {} bytes to look for", kTextMax),
                 "a word that is in a healthy answer alone");
}

void decode_regex(Problems& problems, const Node& node, H& out) {
  decode_value(problems, node, out.expect_regex);
  std::string error;
  if (route::compile_regex(out.expect_regex, error) != nullptr) return;
  problems.error("RP1203", node.at,
                 is_secret(node) ? fmt::format("not a pattern: {}", shown(node)) : "pattern: " + error,
                 "patterns are RE2: no look-around, no back-references; brackets have their ends");
}

// Some time, and not less than `Min` milliseconds.
template <auto Member, Duration::rep Min>
constexpr auto time(std::string_view name, std::string_view meaning) {
  auto made = key<Member>(name, meaning);
  made.decode = [](Problems& problems, const Node& node, H& out) {
    Duration time = out.*Member;
    decode_value(problems, node, time);
    if (time >= Duration{Min}) {
      out.*Member = time;
    } else {
      problems.error("RP1004", node.at, fmt::format("too short a time: {}", shown(node)),
                     fmt::format("the least is \"{}\"", to_string(Duration{Min})));
    }
  };
  return made;
}

constexpr Key<H> kHealth[] = {
    one_of<kTypes, &H::type>("type", "http, tcp, tls (a handshake), or grpc (grpc.health.v1)"),
    {"path", "string", "what is asked for", decode_path, [](const H& o) { return render_value(o.path); }},
    {"method", "string", "how", decode_method, [](const H& o) { return render_value(o.method); }},
    {"host", "string", "the Host asked for; empty: the server's own", decode_host,
     [](const H& o) { return render_value(o.host); }},
    special<H>("headers", "table of strings", "Name = \"value\", sent with the request", decode_headers),
    {"expect_status", "string or integer", "statuses of a healthy answer, such as \"200-299,304\" or \"2xx\"",
     decode_status, [](const H& o) { return quote_toml(o.expect_status.to_string()); }},
    {"expect_body", "string", "text that the first 64 KiB of a healthy answer have in them", decode_text,
     [](const H& o) { return render_value(o.expect_body); }},
    {"expect_regex", "string", "RE2 that matches somewhere in them", decode_regex,
     [](const H& o) { return render_value(o.expect_regex); }},
    key<&H::max_latency>("max_latency", "a check that took longer has failed; 0: timeout is enough"),
    key<&H::grpc_service>("grpc_service", "the service asked about; empty: the server as a whole"),
    ranged<0, 65535, &H::port>("port", "where checks go; 0: the server's own"),
    time<&H::interval, kIntervalMin.count()>("interval", "from one check to the next"),
    time<&H::unhealthy_interval, kIntervalMin.count()>(
        "unhealthy_interval", "the same after a failure, until all is well again; default: not more than interval"),
    ranged<0, 90, &H::jitter>("jitter", "percent by which each of these times may be longer or shorter"),
    time<&H::timeout, 1>("timeout", "for the whole of a check"),
    ranged<1, 1000, &H::rise>("rise", "good checks in a row that bring a server back"),
    ranged<1, 1000, &H::fall>("fall", "failures in a row that take a server out"),
    one_of<kInitial, &H::initial>("initial",
                                  "before the first check: healthy; unhealthy (no requests until it succeeds); or "
                                  "unchecked (requests, and the first check decides)"),
};

// What is of another type than the check is would be passed over without a word.
void check_type(Problems& problems, const Node& node, const H& health) {
  struct Belonging {
    std::string_view key;
    upstream::HealthType type;
  };
  using enum upstream::HealthType;
  static constexpr Belonging kBelongings[] = {{"path", kHttp},         {"method", kHttp},        {"host", kHttp},
                                              {"headers", kHttp},      {"expect_status", kHttp}, {"expect_body", kHttp},
                                              {"expect_regex", kHttp}, {"grpc_service", kGrpc}};
  for (const auto& [key, type] : kBelongings) {
    const Node* found = node.find(key);
    const bool is_of_both = health.type == kGrpc && (key == "host" || key == "headers");
    if (found == nullptr || type == health.type || is_of_both) continue;
    const char* wanted = kTypes[static_cast<std::size_t>(type)];
    problems.error(
        "RP1006", found->at,
        fmt::format("{} says nothing to a check of type = \"{}\"", key, kTypes[static_cast<std::size_t>(health.type)]),
        fmt::format("type = \"{}\", or delete it", wanted));
  }
}

}  // namespace

Keys<upstream::HealthOptions> health_keys() { return kHealth; }

void decode_health(Problems& problems, const Node& node, upstream::Options& out) {
  if (node.is(Node::Kind::kBool) && !node.flag) return;
  H health;
  if (node.is(Node::Kind::kString)) {
    decode_path(problems, node, health);
  } else {
    if (!expect(problems, node, Node::Kind::kTable, "a path or a table",
                "health = \"/healthz\" or health = { type = \"tcp\" }"))
      return;
    const std::size_t before = problems.errors();
    decode_table<H>(problems, node, "health", kHealth, health);
    if (node.find("unhealthy_interval") == nullptr)
      health.unhealthy_interval = std::min(health.unhealthy_interval, health.interval);
    if (problems.errors() == before) check_type(problems, node, health);
    const Node* longest = node.find("max_latency");
    if (longest != nullptr && problems.errors() == before && health.max_latency > health.timeout) {
      problems.error("RP1006", longest->at, "max_latency is longer than timeout",
                     "a check never takes longer than timeout");
    }
  }
  out.health = std::move(health);
}

}  // namespace rproxy::config
