#include "proxy/access_record.h"

#include <algorithm>
#include <concepts>
#include <ctime>
#include <iterator>

namespace rproxy::proxy {
namespace {

void put(AccessValue& value, std::string_view text) { value.text = text; }

void put(AccessValue& value, std::chrono::microseconds time) {
  value.kind = AccessValue::Kind::kMilliseconds;
  value.number = time.count();
}

template <std::integral Number>
void put(AccessValue& value, Number number) {
  value.kind = AccessValue::Kind::kNumber;
  value.number = static_cast<std::int64_t>(number);
}

template <auto Member>
void get(const AccessRecord& record, AccessValue& value) {
  put(value, record.*Member);
}

// "2026-01-02T03:04:05.678Z". The second's part is made once a second.
void get_time(const AccessRecord& record, AccessValue& value) {
  static thread_local std::int64_t cached_second = -1;
  static thread_local std::array<char, 32> cached;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(record.time.time_since_epoch()).count();
  if (ms / 1000 != cached_second) {
    cached_second = ms / 1000;
    const std::time_t second = cached_second;
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::strftime(cached.data(), cached.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  }
  constexpr std::size_t kSecondSize = 20;
  char* out = std::copy_n(cached.data(), kSecondSize, value.scratch.data());
  const auto fraction = static_cast<unsigned>(ms % 1000);
  *out++ = static_cast<char>('0' + fraction / 100);
  *out++ = static_cast<char>('0' + fraction / 10 % 10);
  *out++ = static_cast<char>('0' + fraction % 10);
  *out++ = 'Z';
  value.text = {value.scratch.data(), static_cast<std::size_t>(out - value.scratch.data())};
}

void get_client_ip(const AccessRecord& record, AccessValue& value) {
  value.text = record.peer_unix.empty()
                   ? std::string_view(value.scratch.data(), record.client.format(value.scratch.data()))
                   : record.peer_unix;
}

void get_local_ip(const AccessRecord& record, AccessValue& value) {
  if (record.local != nullptr) value.text = {value.scratch.data(), record.local->format(value.scratch.data())};
}

void get_local_port(const AccessRecord& record, AccessValue& value) {
  put(value, record.local != nullptr ? record.local_port : -1);
}

void get_upstream_status(const AccessRecord& record, AccessValue& value) {
  put(value, record.upstream_status != 0 ? record.upstream_status : -1);
}

using R = AccessRecord;
constexpr AccessVariable kVariables[] = {
    {"time", true, get_time, "when the request's head was complete, UTC"},
    {"client_ip", true, get_client_ip, "the client, as far as forwarding fields can be trusted"},
    {"client_port", false, get<&R::client_port>, "the peer's port"},
    {"method", true, get<&R::method>, "GET"},
    {"scheme", true, get<&R::scheme>, "http or https"},
    {"host", true, get<&R::host>, "host and port as asked for"},
    {"path", true, get<&R::path>, "normalised path"},
    {"query", true, get<&R::query>, "query without ?"},
    {"uri", false, get<&R::target>, "the request target as received"},
    {"protocol", true, get<&R::protocol>, "HTTP/1.1"},
    {"status", true, get<&R::status>, "status sent; 499: the client went first"},
    {"bytes_received", true, get<&R::bytes_received>, "request, head and content"},
    {"bytes_sent", true, get<&R::bytes_sent>, "response, head and content"},
    {"body_bytes_sent", true, get<&R::body_bytes_sent>, "response content"},
    {"duration_ms", true, get<&R::duration>, "head complete to last byte sent"},
    {"first_byte_ms", true, get<&R::first_byte>, "head complete to first byte sent"},
    {"connect_ms", true, get<&R::connect>, "connecting to the endpoint, where a connection was made"},
    {"upstream_first_byte_ms", true, get<&R::upstream_first_byte>, "request sent to response head"},
    {"route", true, get<&R::route>, "the route's name"},
    {"upstream", true, get<&R::upstream>, "the upstream's name"},
    {"endpoint", true, get<&R::endpoint>, "the endpoint that answered, or was tried last"},
    {"upstream_status", true, get_upstream_status, "the endpoint's status"},
    {"grpc_status", true, get<&R::grpc_status>, "the answer's grpc-status; 1 where the client went first"},
    {"retries", true, get<&R::retries>, "attempts beyond the first"},
    {"cache", true, get<&R::cache>, "what the cache did"},
    {"termination", true, get<&R::termination>, "ok, or why the exchange ended"},
    {"request_id", true, get<&R::request_id>, "X-Request-ID"},
    {"user_agent", true, get<&R::user_agent>, "User-Agent"},
    {"referer", true, get<&R::referer>, "Referer"},
    {"tls_version", true, get<&R::tls_version>,
     "TLSv1.3; the client's, as a PROXY header tells, over the connection's"},
    {"tls_cipher", true, get<&R::tls_cipher>, "the cipher suite"},
    {"sni", true, get<&R::sni>, "the name asked for in the TLS handshake"},
    {"tls_client", true, get<&R::tls_client>,
     "common name, or first name, of the client's verified certificate; as a PROXY header tells, over its own"},
    {"local_ip", true, get_local_ip, "the address the client came to, where PROXY headers are read or sent"},
    {"local_port", true, get_local_port, "its port"},
    {"proxy_authority", true, get<&R::proxy_authority>, "AUTHORITY of the PROXY header"},
    {"proxy_alpn", true, get<&R::proxy_alpn>, "ALPN of the PROXY header"},
    {"proxy_unique_id", true, get<&R::proxy_unique_id>, "UNIQUE_ID of the PROXY header"},
};

}  // namespace

std::span<const AccessVariable> access_variables() { return kVariables; }

const AccessVariable* find_access_variable(std::string_view name) {
  const auto found = std::ranges::find(kVariables, name, &AccessVariable::name);
  return found != std::end(kVariables) ? &*found : nullptr;
}

}  // namespace rproxy::proxy
