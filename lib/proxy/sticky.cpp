#include "proxy/sticky.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

#include "http/cookie.h"
#include "net/socket_address.h"

namespace rproxy::proxy {
namespace {

constexpr std::size_t kKeySize = 32;

// Where no secret is configured: this start's own, which reloads keep.
const std::string& random_key() {
  static const std::string key = [] {
    std::array<unsigned char, kKeySize> bytes{};
    if (RAND_priv_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("no random bytes to be had");
    return std::string(bytes.begin(), bytes.end());
  }();
  return key;
}

}  // namespace

StickyCookies::StickyCookies(upstream::Pool& pool)
    : pool_(pool), options_(*pool.options().sticky), key_(options_.secret.empty() ? random_key() : options_.secret) {}

upstream::EndpointPtr StickyCookies::take(exchange::Request& request) {
  const auto value = http::find_cookie(request.head.fields, options_.cookie);
  if (!value) return nullptr;
  update();
  upstream::EndpointPtr found;
  if (value->size() == kSize) {
    const auto known = by_tag_.find(std::string(value->substr(0, kTagSize)));
    const bool is_ours = known != by_tag_.end() && CRYPTO_memcmp(value->data(), known->second.value.data(), kSize) == 0;
    if (is_ours) found = known->second.endpoint;
  }
  http::remove_cookie(request.head.fields, options_.cookie, *request.arena);
  return found;
}

void StickyCookies::give(const exchange::Request& request, exchange::Response& response,
                         const upstream::Endpoint& endpoint) {
  update();
  const auto known = values_.find(&endpoint);
  if (known == values_.end()) return;
  std::string text = fmt::format("{}={}; Path={}", options_.cookie, known->second, options_.path);
  if (options_.lifetime.count() != 0) {
    text += fmt::format("; Max-Age={}", std::chrono::ceil<std::chrono::seconds>(options_.lifetime).count());
  }
  if (options_.secure || request.head.scheme == "https") text += "; Secure";
  text += "; HttpOnly; SameSite=Lax";
  response.head.fields.add(http::FieldId::kSetCookie, request.arena->copy(text));
}

void StickyCookies::update() {
  const upstream::EndpointSet& set = pool_.endpoints();
  if (version_ == set.version()) return;
  version_ = set.version();
  by_tag_.clear();
  values_.clear();
  for (const auto& endpoint : set.endpoints()) {
    std::string value = value_of(*endpoint);
    values_.emplace(endpoint.get(), value);
    std::string tag = value.substr(0, kTagSize);
    by_tag_.emplace(std::move(tag), Known{endpoint, std::move(value)});
  }
}

// The same wherever this upstream has this endpoint.
std::string StickyCookies::value_of(const upstream::Endpoint& endpoint) const {
  const net::Peer peer = net::peer_of(endpoint.address.storage);
  const std::string address =
      peer.is_unix ? endpoint.state.name() : fmt::format("{}:{}", peer.ip.to_string(), peer.port);
  const std::string text = fmt::format("{}\n{}", pool_.upstream().name(), address);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size) == nullptr) {
    throw std::runtime_error("no HMAC-SHA256 to be had");
  }
  std::string value;
  for (std::size_t i = 0; i < kSize / 2; ++i) value += fmt::format("{:02x}", mac[i]);
  return value;
}

}  // namespace rproxy::proxy
