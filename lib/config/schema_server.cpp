#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/schema.h"
#include "config/text.h"
#include "net/proxy_protocol.h"
#include "proxy/access_log_format.h"

namespace rproxy::config {
namespace {

constexpr Key<Server> kServer[] = {
    ranged<0, kWorkersMax, &Server::workers>("workers", "threads; 0: one for each CPU this process may use"),
    key<&Server::max_connections>("max_connections", "client connections in all; 0: as descriptors allow"),
    key<&Server::drain_timeout>("drain_timeout", "how long requests under way may take at shutdown"),
    key<&Server::log_level>("log_level", "debug, info, warn, error or off; to stderr"),
};

// In the order of their enumerators.
constexpr std::array kSlashes{"merge", "keep", "reject"};
constexpr std::array kEncodedSlashes{"guard", "keep", "decode", "reject"};

// Without these a client that says nothing, or takes nothing, keeps its connection for ever.
template <auto Member>
constexpr auto guarded(std::string_view name, std::string_view meaning) {
  auto made = key<Member>(name, meaning);
  made.decode = [](Problems& problems, const Node& node, downstream::Options& out) {
    decode_value(problems, node, out.*Member);
    if ((out.*Member).count() != 0) return;
    problems.warning("RP1012", node.at, "without this limit clients that do nothing keep their connections for ever",
                     "give it a time, such as \"30s\"");
  };
  return made;
}

// A head lives in one buffer, and the target in it.
constexpr std::uint64_t kHeadMax = 1024 * 1024;

using C = downstream::Options;
constexpr Key<C> kClient[] = {
    guarded<&C::handshake_timeout>("handshake_timeout", "TLS, from accept to finished; a PROXY header before it, too"),
    guarded<&C::head_timeout>("head_timeout", "a request head, first byte to last"),
    guarded<&C::keep_alive_timeout>("keep_alive_timeout", "idle between requests"),
    key<&C::body_timeout>("body_timeout", "longest silence inside a request body"),
    key<&C::min_body_rate>("min_body_rate", "bytes a second a body must bring; 0: any"),
    guarded<&C::send_timeout>("send_timeout", "longest time the client takes nothing of a response"),
    key<&C::tunnel_timeout>("tunnel_timeout", "silence both ways after an upgrade"),
    key<&C::requests_per_connection>("requests_per_connection", "then it is closed; 0: no limit"),
    key<&C::max_body>("max_body", "request content; over: 413; 0: no limit"),
    sized<512, net::kProxyBinaryMax, &C::max_proxy_header>(
        "max_proxy_header", "a PROXY header of version 2, with all its fields; over: closed"),
    sized<1024, kHeadMax, &C::head, &http::HeadLimits::head>("max_head", "request line and headers; over: 431"),
    sized<64, kHeadMax, &C::head, &http::HeadLimits::target>("max_target", "request target; over: 414"),
    ranged<1, kIntegerMax, &C::head, &http::HeadLimits::fields>("max_fields", "header lines; over: 431"),
    key<&C::chunks, &http::ChunkLimits::extension_bytes>("max_chunk_extensions",
                                                         "bytes of chunk extensions in a request"),
    sized<64, kHeadMax, &C::chunks, &http::ChunkLimits::trailers>("max_trailers", "trailer section of a request"),
    key<&C::chunks, &http::ChunkLimits::trailer_fields>("max_trailer_fields", "trailer lines of a request"),
    one_of<kSlashes, &C::paths, &http::PathPolicy::duplicate_slashes>("duplicate_slashes",
                                                                      "merge, keep or reject \"//\" in paths"),
    one_of<kEncodedSlashes, &C::paths, &http::PathPolicy::encoded_slash>(
        "encoded_slash",
        "keep, decode or reject \"%2F\" in paths; guard: keep, or reject if decoding leads to another route"),
};

void decode_via_name(Problems& problems, const Node& node, proxy::ForwardingOptions& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  out.via_name = node.text;
  const auto is_valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  if (!out.via_name.empty() && std::ranges::all_of(out.via_name, is_valid)) return;
  problems.error("RP1004", node.at, fmt::format("not a name for Via: {}", shown(node)),
                 "letters, digits, '-', '_' and '.'");
}

using F = proxy::ForwardingOptions;
constexpr Key<F> kForwarding[] = {
    key<&F::trusted_proxies>("trusted_proxies", "peers whose forwarding headers are believed"),
    key<&F::x_forwarded>("x_forwarded", "send X-Forwarded-For, -Proto, -Host"),
    key<&F::forwarded>("forwarded", "send Forwarded (RFC 7239)"),
    key<&F::via>("via", "send Via"),
    key<&F::request_id>("request_id", "send X-Request-ID"),
    {"via_name", "string", "this proxy's name in Via", decode_via_name,
     [](const F& o) { return render_value(o.via_name); }},
    {"client_cert", "boolean or table",
     "send the client's verified certificate in Client-Cert (RFC 9440); table: header, format",
     decode_client_cert_field, render_client_cert_field},
};

// `error` names the variable that is not known in braces.
std::string template_remedy(const std::string& error) {
  std::vector<std::string> known;
  for (const auto& variable : proxy::access_variables()) known.emplace_back(variable.name);
  const auto begin = error.rfind("variable {");
  if (begin != std::string::npos) {
    const std::string name = error.substr(begin + 10, error.size() - begin - 11);
    if (const auto near = nearest_value(name, known); !near.empty()) return fmt::format("did you mean {{{}}}?", near);
  }
  return fmt::format("it may use {{{}}}", fmt::join(known, "}, {"));
}

void decode_format(Problems& problems, const Node& node, proxy::AccessLogOptions& out) {
  using Format = proxy::AccessLogOptions::Format;
  if (!expect(problems, node, Node::Kind::kString)) return;
  out.format = node.text == "json" ? Format::kJson : node.text == "combined" ? Format::kCombined : Format::kTemplate;
  if (out.format != Format::kTemplate) return;
  out.template_text = node.text;
  if (node.text.find('{') == std::string::npos) {
    problems.error("RP1004", node.at, fmt::format("not a log format: {}", shown(node)),
                   "\"json\", \"combined\", or a template such as \"{client_ip} {method} {uri} {status}\"");
  } else if (auto compiled = proxy::AccessLogFormat::compile(out); !compiled) {
    problems.error("RP1004", node.at,
                   is_secret(node) ? fmt::format("not a log template: {}", shown(node))
                                   : "log template: " + cut_text(compiled.error().context),
                   template_remedy(is_secret(node) ? std::string() : compiled.error().context));
  }
}

using A = proxy::AccessLogOptions;
constexpr Key<A> kAccessLog[] = {
    {"path", "string", "\"stdout\", \"off\", a file, \"syslog:/dev/log\" or \"syslog:host:port\"",
     decode_access_log_target, [](const A&) { return quote_toml("off"); }},
    {"format", "string", "\"json\", \"combined\" or a template", decode_format,
     [](const A&) { return quote_toml("json"); }},
    sized<4096, 1 << 30, &A::buffer>("buffer", "waiting lines; more are dropped and counted"),
    key<&A::flush>("flush", "longest a line waits"),
};

}  // namespace

void decode_access_log_target(Problems& problems, const Node& node, proxy::AccessLogOptions& out) {
  using Target = proxy::AccessLogOptions::Target;
  if (!expect(problems, node, Node::Kind::kString)) return;
  constexpr std::string_view kSyslog = "syslog:";
  if (node.text == "off" || node.text == "stdout") {
    out.target = node.text == "off" ? Target::kOff : Target::kStdout;
  } else if (node.text.starts_with(kSyslog)) {
    out.target = Target::kSyslog;
    out.path = node.text.substr(kSyslog.size());
    const auto server = HostPort::parse(out.path);
    const bool is_server =
        server && server->port != 0 && (server->kind == HostPort::Kind::kIp || server->kind == HostPort::Kind::kName);
    if (out.path.starts_with('/')) {
      check_socket_path(problems, node, out.path);
    } else if (!is_server) {
      problems.error("RP1004", node.at, fmt::format("not a syslog target: {}", shown(node)),
                     "\"syslog:/dev/log\" or \"syslog:host:514\"");
    }
  } else if (node.text.empty()) {
    problems.error("RP1004", node.at, "the access log has an empty path", "\"stdout\", \"off\" or a file");
  } else {
    out.target = Target::kFile;
    decode_file(problems, node, out.path);
  }
}

Keys<Server> server_keys() { return kServer; }
Keys<downstream::Options> client_keys() { return kClient; }
Keys<proxy::ForwardingOptions> forwarding_keys() { return kForwarding; }
Keys<proxy::AccessLogOptions> access_log_keys() { return kAccessLog; }

}  // namespace rproxy::config
