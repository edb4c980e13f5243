#include "cli/health_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/characters.h"

namespace rproxy::cli {
namespace {

struct Scheme {
  std::string_view name;
  upstream::HealthType type;
  bool tls;
  std::uint16_t port;  // 0: none by default
};
constexpr Scheme kSchemes[] = {
    {"http", upstream::HealthType::kHttp, false, 80}, {"https", upstream::HealthType::kHttp, true, 443},
    {"tcp", upstream::HealthType::kTcp, false, 0},    {"tls", upstream::HealthType::kTls, true, 443},
    {"grpc", upstream::HealthType::kGrpc, false, 0},  {"grpcs", upstream::HealthType::kGrpc, true, 443},
};

tl::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(why));
}

}  // namespace

Result<upstream::Options> health_target(const std::string& url) {
  const auto colon = url.find("://");
  const auto* scheme = std::ranges::find(kSchemes, std::string_view(url).substr(0, colon), &Scheme::name);
  if (colon == std::string::npos || scheme == std::end(kSchemes))
    return refuse(fmt::format("{} begins with none of http://, https://, tcp://, tls://, grpc://, grpcs://", url));
  const auto slash = std::min(url.find_first_of("/?#", colon + 3), url.size());
  std::string authority = url.substr(colon + 3, slash - colon - 3);
  const std::string host = authority;
  const auto bracket = authority.rfind(']');
  const bool has_port = authority.find(':', bracket == std::string::npos ? 0 : bracket) != std::string::npos;
  if (!has_port && scheme->port != 0) authority += fmt::format(":{}", scheme->port);
  const auto address = HostPort::parse(authority);
  if (!address || address->kind == HostPort::Kind::kUnix || address->kind == HostPort::Kind::kAny || address->port == 0)
    return refuse(fmt::format("{} names no host and port", url));
  upstream::Options target;
  target.name = url;
  target.endpoints.push_back({*address});
  target.tls.enabled = scheme->tls;
  if (scheme->type == upstream::HealthType::kGrpc) target.protocol = upstream::Protocol::kHttp2;
  auto& health = target.health.emplace();
  health.type = scheme->type;
  if (scheme->type != upstream::HealthType::kHttp) return target;
  health.host = host;
  std::string path = url.substr(slash, url.find('#') - slash);
  health.path = path.starts_with('/') ? path : "/" + path;
  if (!std::ranges::all_of(health.path, [](char c) { return http::is(c, http::kQueryChar); }))
    return refuse("the URL's path has characters that want to be percent-encoded");
  return target;
}

}  // namespace rproxy::cli
