// What is counted, by what it is counted for. Each of these has a thread of its own that writes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "metrics/counter.h"
#include "metrics/histogram.h"

namespace rproxy::metrics {

// By the first digit of a status.
class StatusCounters {
 public:
  static constexpr std::array<std::string_view, 6> kNames{"other", "1xx", "2xx", "3xx", "4xx", "5xx"};

  void count(std::uint16_t status) { classes_[status < 600 ? status / 100 : 0].add(); }
  std::uint64_t value(std::size_t index) const { return classes_.at(index).value(); }
  StatusCounters& operator+=(const StatusCounters& other);

 private:
  std::array<Counter, kNames.size()> classes_;
};

// What a route's cache made of requests, by the access log's word for it.
class CacheCounters {
 public:
  static constexpr std::array<std::string_view, 6> kNames{"hit", "miss", "stale", "revalidated", "stale_error", "pass"};

  // Nothing for a word that is none of them.
  void count(std::string_view word);
  std::uint64_t value(std::size_t index) const { return results_.at(index).value(); }
  CacheCounters& operator+=(const CacheCounters& other);

 private:
  std::array<Counter, kNames.size()> results_;
};

// What became of a route's answers on their way.
struct CompressionCounters {
  static constexpr std::array<std::string_view, 6> kCodingNames{"gzip", "deflate", "br", "zstd", "dcb", "dcz"};
  static constexpr std::array<std::string_view, 3> kLimitNames{"level", "load", "memory"};

  std::array<Counter, kCodingNames.size()> coded;    // answers; in the order of http::Coding, identity left out
  std::array<Counter, kCodingNames.size()> decoded;  // answers and requests
  std::array<Counter, kLimitNames.size()> limited;   // answers: coded at a lower level, or not at all
  Counter bytes_in;                                  // of contents that were coded
  Counter bytes_out;
  CompressionCounters& operator+=(const CompressionCounters& other);
};

// Of what clients asked by one route.
struct RouteSeries {
  StatusCounters requests;
  Histogram duration;      // head complete to answer sent
  Counter bytes_received;  // heads and content
  Counter bytes_sent;
  CacheCounters cache;
  CompressionCounters compression;
  RouteSeries& operator+=(const RouteSeries& other);
};

// How an attempt at an endpoint failed.
enum class Failure : std::uint8_t { kConnect, kTls, kTimeout, kReset, kRefused, kBadResponse, kOther };
constexpr std::array<std::string_view, 7> kFailureNames{"connect", "tls",          "timeout", "reset",
                                                        "refused", "bad_response", "other"};

// Of what we asked one endpoint.
struct EndpointSeries {
  Counter requests;  // attempts, retries included
  Counter retries;
  StatusCounters responses;
  std::array<Counter, kFailureNames.size()> failures;
  Histogram connect;     // of new connections, TLS included
  Histogram first_byte;  // request sent to response head

  void fail(Failure how) { failures[static_cast<std::size_t>(how)].add(); }
  EndpointSeries& operator+=(const EndpointSeries& other);
};

// Of client connections by one listener.
struct ListenerSeries {
  Counter accepted;
  Counter tls_handshakes;
  Counter tls_failures;
  Counter proxy_header_failures;
  Counter http2_abuse;  // connections closed for it
  ListenerSeries& operator+=(const ListenerSeries& other);
};

}  // namespace rproxy::metrics
