#include "proxy/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "balance/hash.h"
#include "http/cookie.h"

namespace rproxy::proxy {
namespace {

constexpr std::size_t kPointDigits = 16;

// The finalizer of MurmurHash3: each bit of what goes in changes half of what comes out.
std::uint64_t mix(std::uint64_t bits) {
  bits ^= bits >> 33;
  bits *= 0xff51afd7ed558ccdULL;
  bits ^= bits >> 33;
  bits *= 0xc4ceb9fe1a85ec53ULL;
  return bits ^ bits >> 33;
}

std::optional<std::uint64_t> parse_point(std::string_view text) {
  std::uint64_t point = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), point, 16);
  if (text.size() != kPointDigits || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return point;
}

}  // namespace

std::uint64_t Dice::roll() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }

Split::Split(const SplitOptions& options, std::uint64_t seed) : options_(options), dice_(seed) {
  std::uint64_t end = 0;
  for (const auto& part : options.parts) ends_.push_back(end += part.weight);
}

std::size_t Split::part_at(std::uint64_t point) const {
  __extension__ using Wide = unsigned __int128;
  const auto at = static_cast<std::uint64_t>(Wide{point} * ends_.back() >> 64);
  return static_cast<std::size_t>(std::ranges::upper_bound(ends_, at) - ends_.begin());
}

// Another number than a balancer's of the same client: a part's clients must not meet at one of its endpoints.
std::uint64_t Split::point_of(const IpAddress& client) {
  constexpr std::uint64_t kSeed = 0x73706c6974;
  return balance::hash_of({reinterpret_cast<const char*>(client.bytes.data()), client.bytes.size()}, kSeed);
}

Split::Chosen Split::choose(exchange::Request& request) {
  if (options_.by == SplitOptions::By::kClientIp) {
    const std::uint64_t point = point_of(request.client_ip);
    return {part_at(point), point, false};
  }
  std::optional<std::uint64_t> point;
  if (options_.by == SplitOptions::By::kCookie) {
    if (const auto value = http::find_cookie(request.head.fields, options_.cookie)) {
      point = parse_point(*value);
      http::remove_cookie(request.head.fields, options_.cookie, *request.arena);
    }
    if (point) return {part_at(*point), *point, false};
  }
  const std::uint64_t thrown = dice_.roll();
  return {part_at(thrown), thrown, options_.by == SplitOptions::By::kCookie};
}

void Split::give(const exchange::Request& request, exchange::Response& response, const Chosen& chosen) const {
  if (!chosen.is_new) return;
  std::string text = fmt::format("{}={:016x}; Path=/", options_.cookie, chosen.point);
  if (options_.lifetime.count() != 0) {
    text += fmt::format("; Max-Age={}", std::chrono::ceil<std::chrono::seconds>(options_.lifetime).count());
  }
  if (request.head.scheme == "https") text += "; Secure";
  text += "; HttpOnly; SameSite=Lax";
  response.head.fields.add(http::FieldId::kSetCookie, request.arena->copy(text));
}

}  // namespace rproxy::proxy
