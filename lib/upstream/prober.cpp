#include "upstream/prober.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "exchange/string_body.h"
#include "exchange/until_done.h"
#include "http/grpc.h"
#include "http/grpc_health.h"
#include "http/grpc_timeout.h"
#include "upstream/client.h"
#include "upstream/endpoint_pool.h"
#include "upstream/probe_words.h"

namespace rproxy::upstream {
namespace {

using std::chrono::microseconds;
using Failure = ProbeResult::Failure;

microseconds since(TimePoint start) { return std::chrono::duration_cast<microseconds>(Clock::now() - start); }

std::vector<std::string> alpn_of(Protocol protocol) {
  if (protocol == Protocol::kHttp2) return {"h2"};
  if (protocol == Protocol::kAuto) return {"h2", "http/1.1"};
  return {"http/1.1"};
}

}  // namespace

struct Prober::Expectation {
  explicit Expectation(const std::string& pattern) : regex(pattern, RE2::Quiet) {}
  RE2 regex;
};

// One probe. Its texts live as long as it.
struct Prober::Run {
  ProbeResult result;
  TimePoint started = Clock::now();
  TimePoint connected = started;
  Arena arena;
  exchange::Client client;
  exchange::Request request;
  std::unique_ptr<exchange::StringBody> content;

  void fail(Failure failure, std::string reason) {
    result.failure = failure;
    result.reason = std::move(reason);
  }
};

ProbeTarget probe_target(const Endpoint& endpoint) {
  return probe_target(endpoint.state.address(), endpoint.address, endpoint.tls_name);
}

ProbeTarget probe_target(const HostPort& configured, const net::SocketAddress& address, const std::string& tls_name) {
  ProbeTarget target{configured, configured.to_string(), tls_name};
  if (configured.kind == HostPort::Kind::kUnix) {
    target.authority = "localhost";
    return target;
  }
  // Of a name that was looked up its address is all that is configured here.
  if (!tls_name.empty() && !IpAddress::parse(tls_name))
    target.authority = fmt::format("{}:{}", tls_name, configured.port);
  const net::Peer peer = net::peer_of(address.storage);
  target.address = {HostPort::Kind::kIp, peer.ip.to_string(), peer.ip, peer.port};
  return target;
}

HealthOptions plain_check(const Options& upstream) {
  HealthOptions check;
  check.type = upstream.tls.enabled ? HealthType::kTls : HealthType::kTcp;
  return check;
}

Prober::Prober(net::Loop& loop, HealthOptions health, const ProbeTarget& target, net::Connect connect)
    : loop_(loop),
      health_(std::move(health)),
      authority_(health_.host.empty() ? target.authority : health_.host),
      connect_(std::move(connect)) {
  if (health_.type == HealthType::kGrpc) grpc_request_ = http::encode_grpc_health_request(health_.grpc_service);
}

Prober::~Prober() = default;

Result<std::unique_ptr<Prober>> Prober::create(net::Loop& loop, const Options& upstream, HealthOptions health,
                                               const ProbeTarget& target, net::TlsClientMaterial material,
                                               net::Connect connect) {
  std::unique_ptr<Prober> made(new Prober(loop, std::move(health), target, std::move(connect)));
  if (const auto& pattern = made->health_.expect_regex; !pattern.empty()) {
    made->expected_ = std::make_unique<Expectation>(pattern);
    if (!made->expected_->regex.ok())
      return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, made->expected_->regex.error());
  }
  auto inner = Upstream::create(made->options_for(upstream, target));
  if (!inner) return fail(std::move(inner.error()));
  made->upstream_ = std::move(*inner);
  const Options& options = made->upstream_->options();
  if (!options.tls.enabled) return made;
  auto tls = net::TlsClientContext::create(options.tls, std::move(material), alpn_of(options.protocol));
  if (!tls) return fail(std::move(tls.error()));
  made->tls_ = std::move(*tls);
  made->server_ = &made->tls_->server(options.tls.server_name);
  return made;
}

// The upstream's, for this endpoint alone, and with the probe's time for all.
Options Prober::options_for(const Options& upstream, const ProbeTarget& target) const {
  Options options;
  options.name = upstream.name;
  options.endpoints.resize(1);
  options.endpoints[0].address = target.address;
  if (health_.port != 0 && target.address.kind != HostPort::Kind::kUnix)
    options.endpoints[0].address.port = health_.port;
  options.ejection.consecutive_failures = 0;
  options.tls = upstream.tls;
  options.tls.enabled = upstream.tls.enabled || health_.type == HealthType::kTls;
  if (health_.type == HealthType::kTcp) options.tls.enabled = false;
  options.tls.server_name = target.tls_name;
  options.protocol = health_.type == HealthType::kGrpc ? Protocol::kHttp2 : upstream.protocol;
  // Nothing is greeted where there is no question.
  if (!speaks_http()) options.protocol = Protocol::kHttp1;
  options.proxy_protocol = upstream.proxy_protocol;
  options.http2 = upstream.http2;
  options.head = upstream.head;
  options.chunks = upstream.chunks;
  // A connection that TLS makes an HTTP/1 one is given to its pool before it is used.
  options.pool.max_idle = options.protocol == Protocol::kAuto ? 1 : 0;
  options.connect_timeout = options.handshake_timeout = options.response_timeout = options.body_timeout =
      options.send_timeout = Duration{0};
  return options;
}

net::Task<ProbeResult> Prober::probe() {
  Run run;
  run_ = &run;
  // A ticket would save the server the proof that a probe is for.
  if (server_ != nullptr) {
    server_->session.reset();
    server_->certificate_end.reset();
  }
  const Reach reach{upstream_, tls_, [this](net::Loop&, net::SocketAddress address, Duration timeout) {
                      return connect(address, timeout);
                    }};
  EndpointPool pool(loop_, reach, upstream_->endpoints()->endpoints().front());
  net::Child<void> child(this->run(pool, run));
  const bool done = co_await exchange::UntilDoneOrLate(child, loop_.wheel(), health_.timeout);
  if (done) {
    child.take();
  } else {
    child.cancel();
    run.fail(Failure::kTimeout, late());
  }
  run.result.total = since(run.started);
  if (server_ != nullptr) run.result.certificate_end = server_->certificate_end;
  if (run.result.is_ok() && health_.max_latency.count() != 0 && run.result.total > health_.max_latency) {
    run.fail(Failure::kLatency, fmt::format("took {}, more than max_latency = {}", words_of(run.result.total),
                                            rproxy::to_string(health_.max_latency)));
  }
  // It may be a connection of the pool's that has brought us here.
  co_await net::NextTurn(loop_);
  run_ = nullptr;
  co_return std::move(run.result);
}

std::string Prober::late() const {
  const ProbeResult& result = run_->result;
  const std::string limit = rproxy::to_string(health_.timeout);
  if (!result.connect) return fmt::format("no connection within {}", limit);
  if (tls_ != nullptr && !result.tls) return fmt::format("no TLS handshake within {}", limit);
  if (!result.first_byte) return fmt::format("no answer within {}", limit);
  return fmt::format("answer not whole within {}", limit);
}

net::Task<Result<net::StreamPtr>> Prober::connect(net::SocketAddress address, Duration timeout) {
  auto stream = co_await connect_(loop_, address, timeout);
  if (stream && run_ != nullptr) {
    run_->connected = Clock::now();
    run_->result.connect = std::chrono::duration_cast<microseconds>(run_->connected - run_->started);
  }
  co_return stream;
}

net::Task<void> Prober::run(EndpointPool& pool, Run& run) {
  auto place = Place::take(pool);
  auto lease = co_await pool.connect(std::move(*place));
  if (!lease) {
    auto [failure, reason] = words_of(lease.error(), run.result.connect.has_value());
    run.fail(failure, std::move(reason));
    co_return;
  }
  if (tls_ != nullptr) run.result.tls = since(run.connected);
  if (speaks_http()) {
    co_await ask(run, std::move(*lease));
  } else {
    run.result.reason = tls_ != nullptr ? "TLS handshake done" : "connected";
  }
}

void Prober::prepare(Run& run) const {
  exchange::Request& request = run.request;
  const bool is_grpc = health_.type == HealthType::kGrpc;
  http::RequestHead& head = request.head;
  head.method = is_grpc ? "POST" : std::string_view(health_.method);
  head.method_id = http::method_id(head.method);
  head.scheme = tls_ != nullptr ? "https" : "http";
  head.authority = authority_;
  const std::string_view target = is_grpc ? http::kGrpcHealthPath : std::string_view(health_.path);
  const auto question = target.find('?');
  head.path = target.substr(0, question);
  head.has_query = question != std::string_view::npos;
  if (head.has_query) head.query = target.substr(question + 1);
  head.accepts_trailers = is_grpc;
  if (is_grpc) {
    head.fields.add(http::FieldId::kContentType, "application/grpc");
    char* const timeout = run.arena.allocate(http::kGrpcTimeoutSize);
    head.fields.add(http::FieldId::kGrpcTimeout,
                    {timeout, http::write_grpc_timeout(timeout, microseconds(health_.timeout))});
    run.content = std::make_unique<exchange::StringBody>(grpc_request_);
    request.body = run.content.get();
  }
  head.fields.add(http::FieldId::kUserAgent, "rproxy-health");
  for (const auto& [name, value] : health_.headers) head.fields.set(name, value);
  request.client = &run.client;
  request.arena = &run.arena;
  request.loop = &loop_;
  request.trace.start = loop_.now();
}

net::Task<void> Prober::ask(Run& run, Lease lease) {
  prepare(run);
  const TimePoint asked = Clock::now();
  auto response = co_await send(run.request, std::move(lease), upstream_->options(), Duration{0});
  if (!response) {
    auto [failure, reason] = words_of(response.error(), true);
    run.fail(failure, std::move(reason));
    co_return;
  }
  run.result.first_byte = since(asked);
  run.result.status = response->head.status;
  run.result.reason = fmt::format("HTTP {}", response->head.status);
  const StatusSet& expected = health_.expect_status;
  if (health_.type == HealthType::kHttp && !expected.contains(response->head.status)) {
    run.fail(Failure::kStatus, fmt::format("HTTP {}, expected {}", response->head.status, expected.to_string()));
    co_return;
  }
  co_await read_answer(run, *response);
}

// An answer that does not end is none.
net::Task<void> Prober::read_answer(Run& run, exchange::Response& response) {
  std::string content;
  while (response.body && content.size() < content_max_) {
    auto slice = co_await response.body->read();
    if (!slice) {
      auto [failure, reason] = words_of(slice.error(), true);
      run.fail(failure, "answer cut short: " + reason);
      co_return;
    }
    content.append(slice->data.substr(0, content_max_ - content.size()));
    if (slice->last) break;
  }
  if (health_.type == HealthType::kGrpc) {
    judge_serving(run, response, content);
  } else if (!health_.expect_body.empty() && content.find(health_.expect_body) == std::string::npos) {
    run.fail(Failure::kBody,
             fmt::format("HTTP {}, but the content lacks \"{}\"", run.result.status, excerpt(health_.expect_body)));
  } else if (expected_ && !RE2::PartialMatch(content, expected_->regex)) {
    run.fail(Failure::kBody, fmt::format("HTTP {}, but the content does not match {}", run.result.status,
                                         excerpt(health_.expect_regex)));
  }
  if (keeps_content_ && run.result.is_ok()) run.result.content = std::move(content);
}

void Prober::judge_serving(Run& run, const exchange::Response& response, std::string_view content) const {
  if (response.head.status != 200 || !http::grpc_type(response.head.fields)) {
    return run.fail(Failure::kServing, fmt::format("HTTP {}, and no gRPC", response.head.status));
  }
  // Where nothing but a status comes, it stands in the head.
  const http::Fields* trailers = response.body ? response.body->trailers() : nullptr;
  std::string_view told = response.head.fields.get(http::FieldId::kGrpcStatus);
  if (told.empty() && trailers != nullptr) told = trailers->get(http::FieldId::kGrpcStatus);
  const auto status = http::parse_grpc_status(told);
  if (!status) return run.fail(Failure::kServing, "an answer without grpc-status");
  if (*status != 0) return run.fail(Failure::kServing, words_of_grpc(*status, health_.grpc_service));
  const auto serving = http::decode_grpc_health_response(content);
  if (!serving) return run.fail(Failure::kServing, "an answer that is no HealthCheckResponse");
  run.result.reason = to_string(*serving);
  if (*serving != http::GrpcServing::kServing) run.result.failure = Failure::kServing;
}

}  // namespace rproxy::upstream
