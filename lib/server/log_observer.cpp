#include "server/log_observer.h"

#include "http/grpc.h"

namespace rproxy::server {
namespace {

// A gRPC client that went first has cancelled its call.
std::int32_t grpc_status(const exchange::Request& request, const exchange::Outcome& outcome) {
  if (request.trace.grpc_status >= 0 || outcome.status != 499) return request.trace.grpc_status;
  return http::grpc_type(request.head.fields) ? static_cast<std::int32_t>(http::grpc_status_of(499)) : -1;
}

}  // namespace

void LogObserver::finished(const exchange::Request& request, const exchange::Outcome& outcome) {
  const exchange::Client& client = *request.client;
  const exchange::Trace& trace = request.trace;
  proxy::AccessRecord record{};
  record.time = trace.wall_time;
  record.client = request.client_ip;
  record.client_port = client.peer.port;
  const bool is_told = request.client_ip != client.peer.ip;  // by a proxy that is trusted
  if (client.peer.is_unix && !is_told) record.peer_unix = "unix:";
  record.method = request.head.method;
  record.scheme = request.head.scheme;
  record.host = request.client_authority;
  record.path = request.client_path;
  record.query = request.head.query;
  record.target = request.head.target;
  record.protocol = http::to_string(request.head.version);
  record.user_agent = request.head.fields.get(http::FieldId::kUserAgent);
  record.referer = request.head.fields.get(http::FieldId::kReferer);
  record.request_id = trace.request_id;
  record.route = trace.route;
  record.upstream = trace.upstream;
  record.endpoint = trace.endpoint;
  record.status = outcome.status;
  record.upstream_status = trace.upstream_status;
  record.grpc_status = grpc_status(request, outcome);
  record.bytes_received = outcome.bytes_received;
  record.bytes_sent = outcome.bytes_sent;
  record.body_bytes_sent = outcome.body_bytes_sent;
  record.retries = trace.retries;
  record.cache = trace.cache;
  record.termination = outcome.termination;
  record.first_byte = trace.first_byte;
  record.connect = trace.connect;
  record.upstream_first_byte = trace.upstream_first_byte;
  record.duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - trace.start);
  record.tls_version = client.tls_version;
  record.tls_cipher = client.tls_cipher;
  record.sni = client.server_name;
  if (client.local != net::Peer{} && !client.local.is_unix) {
    record.local = &client.local.ip;
    record.local_port = client.local.port;
  }
  if (client.certificate != nullptr) record.tls_client = client.certificate->label();
  if (client.proxy_header != nullptr) {
    const net::ProxyHeader& header = *client.proxy_header;
    // What nobody has verified is no name.
    if (header.tls.is_verified) record.tls_client = header.tls.client_name;
    record.proxy_authority = header.authority;
    record.proxy_alpn = header.alpn;
    record.proxy_unique_id = header.unique_id;
  }
  log_.write(record);
}

}  // namespace rproxy::server
