#include "proxy/client_identity.h"

#include <algorithm>
#include <random>

#include "http/forwarded.h"

namespace rproxy::proxy {
namespace {

constexpr std::size_t kRequestIdMax = 128;

bool contains(const std::vector<IpNetwork>& networks, const IpAddress& ip) {
  return std::any_of(networks.begin(), networks.end(), [&](const IpNetwork& network) { return network.contains(ip); });
}

// What may stand in logs, headers and pages unquoted.
bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdMax && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

// xorshift128+: ids need to be distinct, not secret.
std::uint64_t next(std::uint64_t (&state)[2]) {
  std::uint64_t s1 = state[0];
  const std::uint64_t s0 = state[1];
  const std::uint64_t result = s0 + s1;
  state[0] = s0;
  s1 ^= s1 << 23;
  state[1] = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
  return result;
}

}  // namespace

ClientIdentity::ClientIdentity(const ForwardingOptions& options) : options_(options) {
  std::random_device random;
  for (auto& word : state_) word = (std::uint64_t{random()} << 32) | random();
}

bool ClientIdentity::is_trusted(const exchange::Request& request) const {
  return !options_.trusted_proxies.empty() && contains(options_.trusted_proxies, request.client->peer.ip);
}

void ClientIdentity::establish(exchange::Request& request) {
  request.from_trusted_proxy = is_trusted(request);
  if (request.from_trusted_proxy) {
    const auto is_proxy = [this](const IpAddress& ip) { return contains(options_.trusted_proxies, ip); };
    if (const auto ip = http::rightmost_client(request.head.fields, is_proxy)) request.client_ip = *ip;
    const auto id = request.head.fields.get(http::FieldId::kXRequestId);
    if (is_request_id(id)) request.trace.request_id = id;
  }
  if (options_.request_id && request.trace.request_id.empty()) {
    request.trace.request_id = make_request_id(*request.arena);
  }
}

std::string_view ClientIdentity::make_request_id(Arena& arena) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::size_t kSize = 32;
  char* out = arena.allocate(kSize);
  for (std::size_t word = 0; word < 2; ++word) {
    std::uint64_t bits = next(state_);
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) out[word * 16 + i] = kDigits[bits & 15];
  }
  return {out, kSize};
}

}  // namespace rproxy::proxy
