// The key tables of every TOML table the configuration has.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "config/config.h"
#include "config/key.h"

namespace rproxy::config {

// What clients may speak.
inline constexpr std::array kProtocols{"h2", "http/1.1"};
// In the order of net::TlsVersion.
inline constexpr std::array kTlsVersions{"1.2", "1.3"};

// In the order of balance::PolicyKind.
inline constexpr std::array kPolicies{"p2c_ewma", "round_robin", "least_conn", "random", "hash"};
// In the order of upstream::QueuePriority.
inline constexpr std::array kQueuePriorities{"high", "normal", "low"};

// Of the servers of a list, which may put them behind each other by numbers of its own; of one server it is less.
constexpr std::int64_t kListPriorityMax = 1'000'000;
// By what a client keeps to its part of a split.
inline constexpr std::array kSplitKeys{"client_ip", "cookie"};

// A route while it is read: at most one of the actions may be there in the end.
struct RouteDraft {
  Route route;
  bool is_match_sound = false;  // it was there and is understood
  proxy::ForwardAction forward;
  proxy::SplitOptions split_sticky;  // that part of it, which may stand before the split
  std::optional<proxy::RedirectAction> redirect;
  std::optional<proxy::RespondAction> respond;
  std::optional<files::Options> files;
};

// Strict-Transport-Security, before it is text.
struct HstsDraft {
  Duration max_age = std::chrono::hours{24 * 365};
  bool include_subdomains = false;
  bool preload = false;
};

struct TlsDraft {
  net::TlsServerOptions options;
  acme::Options acme;
  const Node* acme_at = nullptr;
  net::CertificateFiles single;  // cert and key, the short form for one
};

struct ListenerDraft {
  Listener listener;
  bool has_address = false;
  bool uses_shared_tls = false;
};

struct ListenDraft {
  std::vector<const Node*> http;
  std::vector<const Node*> https;
  std::vector<std::string> protocols;  // empty: as by default
};

Keys<Server> server_keys();
Keys<ListenDraft> listen_keys();
Keys<ListenerDraft> listener_keys();
Keys<TlsDraft> tls_keys();
Keys<acme::Options> acme_keys();
Keys<acme::ExternalAccount> external_account_keys();
Keys<acme::OnDemandOptions> on_demand_keys();
Keys<net::CertificateFiles> certificate_keys();
Keys<net::ClientAuth> client_auth_keys();
Keys<proxy::ClientCertificateField> client_cert_field_keys();
Keys<downstream::Options> client_keys();
Keys<http2::Options> http2_keys();
Keys<upstream::Options> upstream_keys();
Keys<upstream::Http2Options> upstream_http2_keys();
Keys<balance::EndpointOptions> endpoint_keys();
Keys<upstream::DiscoveryOptions> discovery_keys();
Keys<net::ResolverOptions> resolver_keys();
Keys<upstream::PoolOptions> pool_keys();
Keys<upstream::RetryOptions> retry_keys();
Keys<upstream::HealthOptions> health_keys();
Keys<upstream::HedgeOptions> hedge_keys();
Keys<balance::PolicyOptions> balance_keys();
Keys<balance::EjectionOptions> ejection_keys();
Keys<balance::LimitOptions> limit_keys();
Keys<upstream::QueueOptions> queue_keys();
Keys<upstream::StickyOptions> sticky_keys();
Keys<proxy::SplitOptions::Part> split_keys();
Keys<proxy::SplitOptions> split_cookie_keys();
Keys<proxy::MirrorOptions> mirror_keys();
Keys<net::TlsClientOptions> upstream_tls_keys();
Keys<proxy::ForwardAction> defaults_keys();
Keys<RouteDraft> route_keys();
Keys<route::Match> match_keys();
Keys<route::RewriteOptions> rewrite_keys();
Keys<proxy::RedirectAction> redirect_keys();
Keys<proxy::RespondAction> respond_keys();
Keys<files::Options> files_keys();
Keys<proxy::ForwardingOptions> forwarding_keys();
Keys<proxy::AccessLogOptions> access_log_keys();
Keys<Admin> admin_keys();
Keys<ExplainHeader> explain_keys();
Keys<storage::Options> cache_keys();
Keys<storage::DiskOptions> cache_disk_keys();
Keys<proxy::CacheOptions> cache_policy_keys();
Keys<cache::KeyOptions> cache_key_keys();
Keys<filter::CompressionOptions> compress_keys();
Keys<filter::CompressionOptions> compress_level_keys();
Keys<filter::DictionaryOptions> compress_dictionary_keys();
Keys<filter::CompressionLimits> compression_keys();
Keys<HstsDraft> hsts_keys();
// What a request alone may be asked for: headers, query, cookies, client address.
Keys<route::Match> condition_keys();
Keys<RouteTest> test_keys();
Keys<Expectation> expectation_keys();

// Servers that something else lists: "srv:_http._tcp.shop.internal", "file:/etc/shop.list".
bool is_source(const Node& node);
// Such a string, or a table with it as its address.
void decode_source(Problems& problems, const Node& node, upstream::Options& out);
// The same as "name:80" where it is "dns:name:80".
Node without_dns(const Node& node);
void decode_discovery(Problems& problems, const Node& node, upstream::Options& out);

// The array of servers.
void decode_servers(Problems& problems, const Node& node, upstream::Options& out);

// "10.0.0.1:80", ":80", "unix:/run/x": reports RP1004, with such as it may be.
bool decode_address(Problems& problems, const Node& node, const char* examples, HostPort& out);
// For one that can be listened on: names can't.
bool decode_listen_address(Problems& problems, const Node& node, HostPort& out);
// Whether a socket's address has room for the path.
bool check_socket_path(Problems& problems, const Node& node, const std::string& path);
// `protocols = ["h2", "http/1.1"]`.
void decode_protocols(Problems& problems, const Node& node, std::vector<std::string>& out);
// A table that has, or should have, cert and key.
void check_pair(Problems& problems, const Node& table, const std::vector<std::string>& known);
// A whole [tls] table, its two short keys folded into certificates; RP1301 where there is none. `acme`: null where it has none of its own.
void decode_tls(Problems& problems, const Node& node, const std::string& name, net::TlsServerOptions& out,
                acme::Options* acme = nullptr);
// [tls.client_auth].
void decode_client_auth(Problems& problems, const Node& node, std::optional<net::ClientAuth>& out);
// Which certificates are meant: "dns:*.shop.com", or an array of such.
void decode_name_rules(Problems& problems, const Node& node, x509::NameRules& out);
std::string render_name_rules(const x509::NameRules& from);
// `client_cert` of [forwarding] and of a route.
void decode_client_cert_field(Problems& problems, const Node& node, proxy::ForwardingOptions& out);
std::string render_client_cert_field(const proxy::ForwardingOptions& from);
void decode_client_cert(Problems& problems, const Node& node, filter::ClientCertRule& out);
std::string render_client_cert(const filter::ClientCertRule& from);
// [tls.acme].
void decode_acme(Problems& problems, const Node& node, acme::Options& out);
// `health = "/healthz"`, or a table.
void decode_health(Problems& problems, const Node& node, upstream::Options& out);
// `retry = { ... }`, or false.
void decode_retry(Problems& problems, const Node& node, upstream::RetryOptions& out);
// `sticky` of an upstream; `split`, `sticky` and `mirror` of a route.
void decode_sticky(Problems& problems, const Node& node, upstream::Options& out);
void decode_split(Problems& problems, const Node& node, proxy::ForwardAction& out);
void decode_split_sticky(Problems& problems, const Node& node, proxy::SplitOptions& out);
void decode_mirror(Problems& problems, const Node& node, proxy::ForwardAction& out);
// `files = "/srv/www"`, or a table.
void decode_files(Problems& problems, const Node& node, RouteDraft& out);
// `access_log = "..."`.
void decode_access_log_target(Problems& problems, const Node& node, proxy::AccessLogOptions& out);

// `cache = "1d"`, true, false, or a table.
void decode_cache(Problems& problems, const Node& node, proxy::CacheOptions& out);
std::string render_cache(const proxy::CacheOptions& from);
// `compress = true`, false, an array of codings, or a table.
void decode_compress(Problems& problems, const Node& node, filter::CompressionOptions& out);
std::string render_compress(const filter::CompressionOptions& from);

// `hsts = true`, "365d" or a table, as the header's value; "" for false.
void decode_hsts(Problems& problems, const Node& node, std::string& out);

// `balance = "hash"` or `balance = { policy = "hash", ... }`.
void decode_balance(Problems& problems, const Node& node, upstream::Options& out);
std::string render_balance(const upstream::Options& from);
// `ejection = false` or a table.
void decode_ejection(Problems& problems, const Node& node, upstream::Options& out);
void decode_limits(Problems& problems, const Node& node, upstream::Options& out);
// `queue = false` or a table.
void decode_queue(Problems& problems, const Node& node, upstream::Options& out);

}  // namespace rproxy::config
