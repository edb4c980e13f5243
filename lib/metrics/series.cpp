#include "metrics/series.h"

namespace rproxy::metrics {

StatusCounters& StatusCounters::operator+=(const StatusCounters& other) {
  for (std::size_t i = 0; i < classes_.size(); ++i) classes_.at(i) += other.classes_.at(i);
  return *this;
}

void CacheCounters::count(std::string_view word) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == word) return results_.at(i).add();
  }
}

CacheCounters& CacheCounters::operator+=(const CacheCounters& other) {
  for (std::size_t i = 0; i < results_.size(); ++i) results_.at(i) += other.results_.at(i);
  return *this;
}

CompressionCounters& CompressionCounters::operator+=(const CompressionCounters& other) {
  for (std::size_t i = 0; i < coded.size(); ++i) coded.at(i) += other.coded.at(i);
  for (std::size_t i = 0; i < decoded.size(); ++i) decoded.at(i) += other.decoded.at(i);
  for (std::size_t i = 0; i < limited.size(); ++i) limited.at(i) += other.limited.at(i);
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  return *this;
}

RouteSeries& RouteSeries::operator+=(const RouteSeries& other) {
  requests += other.requests;
  duration += other.duration;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  cache += other.cache;
  compression += other.compression;
  return *this;
}

EndpointSeries& EndpointSeries::operator+=(const EndpointSeries& other) {
  requests += other.requests;
  retries += other.retries;
  responses += other.responses;
  for (std::size_t i = 0; i < failures.size(); ++i) failures.at(i) += other.failures.at(i);
  connect += other.connect;
  first_byte += other.first_byte;
  return *this;
}

ListenerSeries& ListenerSeries::operator+=(const ListenerSeries& other) {
  accepted += other.accepted;
  tls_handshakes += other.tls_handshakes;
  tls_failures += other.tls_failures;
  proxy_header_failures += other.proxy_header_failures;
  http2_abuse += other.http2_abuse;
  return *this;
}

}  // namespace rproxy::metrics
