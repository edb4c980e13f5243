#include "upstream/fetcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "exchange/string_body.h"
#include "exchange/until_done.h"
#include "http/fields.h"
#include "net/tls_context.h"
#include "upstream/client.h"
#include "upstream/endpoint_pool.h"
#include "upstream/upstream.h"

namespace rproxy::upstream {
namespace {

// Of a URL in a message that somebody else has sent.
constexpr std::size_t kUrlMax = 4096;

bool is_url_character(char c) {
  return c > ' ' && c < '\x7f' && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

Error about(Error error, const Url& url) {
  if (error.context.find(url.host) == std::string::npos) {
    error.context = error.context.empty() ? url.authority : fmt::format("{}: {}", url.authority, error.context);
  }
  return error;
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  if (text.size() > kUrlMax || !std::ranges::all_of(text, is_url_character)) return std::nullopt;
  Url url;
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  if (http::equals_ignoring_case(text.substr(0, scheme), "http")) {
    url.is_https = false;
  } else if (!http::equals_ignoring_case(text.substr(0, scheme), "https")) {
    return std::nullopt;
  }
  text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find('#'));
  const auto end = std::min(text.find_first_of("/?"), text.size());
  url.authority = text.substr(0, end);
  text.remove_prefix(end);
  const auto colon = url.authority.rfind(':');
  const bool has_port = colon != std::string::npos && url.authority.find(']', colon) == std::string::npos;
  const auto parsed = HostPort::parse(has_port ? url.authority : url.authority + (url.is_https ? ":443" : ":80"));
  if (!parsed || (parsed->kind != HostPort::Kind::kIp && parsed->kind != HostPort::Kind::kName)) return std::nullopt;
  url.host = parsed->host;
  url.port = parsed->port;
  const auto question = text.find('?');
  url.path = text.substr(0, question);
  if (url.path.empty()) url.path = "/";
  url.has_query = question != std::string_view::npos;
  if (url.has_query) url.query = text.substr(question + 1);
  return url;
}

std::string_view FetchedAnswer::get(std::string_view name) const {
  const auto found =
      std::ranges::find_if(fields, [&](const auto& field) { return http::equals_ignoring_case(field.first, name); });
  return found != fields.end() ? std::string_view(found->second) : std::string_view();
}

std::vector<std::string_view> FetchedAnswer::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [each, value] : fields) {
    if (http::equals_ignoring_case(each, name)) values.emplace_back(value);
  }
  return values;
}

// A request with all that it needs for as long as it is under way.
struct Fetcher::Run {
  std::shared_ptr<Upstream> upstream;
  std::shared_ptr<net::TlsClientContext> tls;
  Arena arena;
  exchange::Client client;
  exchange::Request request;
  std::unique_ptr<exchange::StringBody> content;
};

Fetcher::Fetcher(net::Loop& loop, net::Resolver& resolver, Options options, x509::TrustStore trusted)
    : loop_(loop), resolver_(resolver), options_(std::move(options)), trusted_(std::move(trusted)) {}

Result<std::unique_ptr<Fetcher>> Fetcher::create(net::Loop& loop, net::Resolver& resolver, Options options) {
  net::TlsClientOptions tls;
  tls.ca_file = options.ca_file;
  auto trusted = net::TlsClientContext::read_trusted(tls);
  if (!trusted) return fail(std::move(trusted.error()));
  return std::unique_ptr<Fetcher>(new Fetcher(loop, resolver, std::move(options), std::move(*trusted)));
}

upstream::Options Fetcher::options_for(const Url& url, const IpAddress& address) const {
  upstream::Options options;
  options.name = url.authority;
  options.endpoints.resize(1);
  options.endpoints[0].address = {HostPort::Kind::kIp, address.to_string(), address, url.port};
  options.ejection.consecutive_failures = 0;
  options.tls.enabled = url.is_https;
  options.tls.server_name = url.host;
  options.pool.max_idle = 0;
  return options;
}

net::Task<Result<FetchedAnswer>> Fetcher::fetch(FetchCall call) {
  const auto url = Url::parse(call.url);
  if (!url) co_return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, fmt::format("not a URL: {}", call.url));
  net::Child<Result<FetchedAnswer>> child(find_and_ask(call, *url));
  const bool is_done = co_await exchange::UntilDoneOrLate(child, loop_.wheel(), options_.timeout);
  if (!is_done) {
    child.cancel();
    co_return fail(ErrorCode::kRequestTimeout, Side::kUpstream, Retry::kIdempotent,
                   fmt::format("{}: no answer within {}", url->authority, to_string(options_.timeout)));
  }
  auto answer = child.take();
  if (!answer) answer.error() = about(std::move(answer.error()), *url);
  // It may be a connection of the pool's that has brought us here.
  co_await net::NextTurn(loop_);
  co_return answer;
}

// One address after the other, as long as nothing of the request has left.
net::Task<Result<FetchedAnswer>> Fetcher::find_and_ask(const FetchCall& call, const Url& url) {
  std::vector<IpAddress> addresses;
  if (const auto literal = IpAddress::parse(url.host)) {
    addresses.push_back(*literal);
  } else {
    auto found = co_await resolver_.resolve(url.host, net::Resolver::Family::kAny);
    if (!found) co_return fail(std::move(found.error()));
    addresses = std::move(found->addresses);
  }
  Result<FetchedAnswer> answer = fail(ErrorCode::kResolveFailed, Side::kLocal);
  for (const IpAddress& address : addresses) {
    answer = co_await ask(call, url, address);
    if (answer || answer.error().retry != Retry::kSafe) break;
  }
  co_return answer;
}

net::Task<Result<FetchedAnswer>> Fetcher::ask(const FetchCall& call, const Url& url, IpAddress address) {
  Run run;
  auto upstream = Upstream::create(options_for(url, address));
  if (!upstream) co_return fail(std::move(upstream.error()));
  run.upstream = std::move(*upstream);
  if (url.is_https) {
    auto tls = net::TlsClientContext::create(run.upstream->options().tls, net::TlsClientMaterial(&trusted_));
    if (!tls) co_return fail(std::move(tls.error()));
    run.tls = std::move(*tls);
  }
  EndpointPool pool(loop_, Reach{run.upstream, run.tls, net::connect}, run.upstream->endpoints()->endpoints().front());
  auto place = Place::take(pool);
  auto lease = co_await pool.connect(std::move(*place));
  if (!lease) co_return fail(std::move(lease.error()));

  http::RequestHead& head = run.request.head;
  head.method = call.method;
  head.method_id = http::method_id(head.method);
  head.scheme = url.is_https ? "https" : "http";
  head.authority = url.authority;
  head.path = url.path;
  head.has_query = url.has_query;
  head.query = url.query;
  head.fields.add(http::FieldId::kUserAgent, options_.user_agent);
  for (const auto& [name, value] : call.fields) head.fields.set(name, value);
  if (!call.content.empty()) {
    run.content = std::make_unique<exchange::StringBody>(call.content);
    run.request.body = run.content.get();
  }
  run.request.client = &run.client;
  run.request.arena = &run.arena;
  run.request.loop = &loop_;
  run.request.trace.start = loop_.now();
  auto response = co_await send(run.request, std::move(*lease), run.upstream->options(), Duration{0});
  co_return co_await take(std::move(response));
}

net::Task<Result<FetchedAnswer>> Fetcher::take(Result<exchange::Response> response) const {
  if (!response) co_return fail(std::move(response.error()));
  FetchedAnswer answer;
  answer.status = response->head.status;
  for (const http::Field& field : response->head.fields) answer.fields.emplace_back(field.name, field.value);
  while (response->body != nullptr) {
    auto slice = co_await response->body->read();
    if (!slice) co_return fail(std::move(slice.error()));
    if (answer.content.size() + slice->data.size() > options_.content_max) {
      co_return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kNever,
                     fmt::format("an answer of more than {} bytes", options_.content_max));
    }
    answer.content.append(slice->data);
    if (slice->last) break;
  }
  co_return answer;
}

}  // namespace rproxy::upstream
