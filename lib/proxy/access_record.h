// What one line of the access log may tell.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/address.h"

namespace rproxy::proxy {

// Texts are as received and may hold anything; -1 is a time that did not come to pass.
struct AccessRecord {
  std::chrono::system_clock::time_point time;
  IpAddress client;
  std::uint16_t client_port = 0;
  std::string_view peer_unix;  // "unix:" where the client came over a Unix socket
  std::string_view method, scheme, host, path, query, target, protocol;
  std::string_view user_agent, referer, request_id, route, upstream, endpoint;
  std::uint16_t status = 0;
  std::uint16_t upstream_status = 0;
  std::int32_t grpc_status = -1;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t body_bytes_sent = 0;
  std::uint32_t retries = 0;
  std::string_view cache, termination;
  std::chrono::microseconds first_byte{-1}, connect{-1}, upstream_first_byte{-1}, duration{-1};
  std::string_view tls_version, tls_cipher, sni;
  std::string_view tls_client, proxy_authority, proxy_alpn, proxy_unique_id;
  const IpAddress* local = nullptr;  // null: not known
  std::uint16_t local_port = 0;
};

// One value of a record on its way into a line.
struct AccessValue {
  enum class Kind : std::uint8_t { kText, kNumber, kMilliseconds };
  Kind kind = Kind::kText;
  std::string_view text;     // kText; empty: did not happen
  std::int64_t number = -1;  // kNumber, or microseconds; -1: did not happen
  std::array<char, 48> scratch;
};

// The one list of what can be logged: the JSON keys, in their order, and the template's variables.
struct AccessVariable {
  std::string_view name;
  bool in_json;
  void (*get)(const AccessRecord& record, AccessValue& value);
  std::string_view meaning;
};
std::span<const AccessVariable> access_variables();
const AccessVariable* find_access_variable(std::string_view name);

}  // namespace rproxy::proxy
