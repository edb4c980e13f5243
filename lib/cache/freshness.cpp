#include "cache/freshness.h"

#include <algorithm>

#include "http/characters.h"
#include "http/date.h"

namespace rproxy::cache {

using http::FieldId;

namespace {

constexpr std::int64_t kHeuristicMax = 24 * 3600;
constexpr std::int64_t kHeuristicDivisor = 10;

std::int64_t in_seconds(Duration time) {
  return std::min<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count(), kSecondsMax);
}

std::int64_t date_of(const http::Fields& fields, std::int64_t received) {
  const auto* field = fields.find(FieldId::kDate);
  return field != nullptr ? http::parse_date(field->value, received).value_or(received) : received;
}

bool is_negative(std::uint16_t status) {
  return status == 404 || status == 405 || status == 410 || status == 414 || status == 501;
}

bool is_good(std::uint16_t status) {
  return status == 200 || status == 203 || status == 206 || status == 300 || status == 301 || status == 308;
}

std::optional<Freshness> explicit_freshness(const http::Fields& fields, const ResponseDirectives& directives,
                                            std::int64_t received) {
  using Source = Freshness::Source;
  if (directives.s_maxage) return Freshness{Source::kSMaxAge, *directives.s_maxage};
  if (directives.max_age) return Freshness{Source::kMaxAge, *directives.max_age};
  const auto* expires = fields.find(FieldId::kExpires);
  if (expires == nullptr || directives.is_targeted) return std::nullopt;
  // Malformed, or said twice: it has expired (RFC 9111 5.3).
  const auto until = fields.count(FieldId::kExpires) == 1 ? http::parse_date(expires->value, received) : std::nullopt;
  const std::int64_t lifetime = until ? *until - date_of(fields, received) : 0;
  return Freshness{Source::kExpires, std::clamp<std::int64_t>(lifetime, 0, kSecondsMax)};
}

std::optional<Freshness> heuristic_freshness(const http::Fields& fields, std::int64_t received) {
  const auto* field = fields.find(FieldId::kLastModified);
  const auto modified = field != nullptr ? http::parse_date(field->value, received) : std::nullopt;
  if (!modified) return std::nullopt;
  const std::int64_t age = std::max<std::int64_t>(date_of(fields, received) - *modified, 0);
  return Freshness{Freshness::Source::kHeuristic, std::min(age / kHeuristicDivisor, kHeuristicMax)};
}

Freshness unbounded(std::uint16_t status, const http::Fields& fields, const ResponseDirectives& directives,
                    const Policy& policy, std::int64_t received) {
  using Source = Freshness::Source;
  if (policy.ttl && is_good(status)) return {Source::kPolicy, in_seconds(*policy.ttl)};
  if (const auto found = explicit_freshness(fields, directives, received)) return *found;
  if (policy.negative_ttl && is_negative(status)) return {Source::kDefault, in_seconds(*policy.negative_ttl)};
  if (!is_heuristically_cacheable(status) && !directives.is_public) return {};
  if (policy.default_ttl && !is_negative(status)) return {Source::kDefault, in_seconds(*policy.default_ttl)};
  return heuristic_freshness(fields, received).value_or(Freshness{});
}

}  // namespace

bool is_heuristically_cacheable(std::uint16_t status) {
  return is_good(status) || is_negative(status) || status == 204;
}

std::string_view to_string(Freshness::Source source) {
  switch (source) {
    case Freshness::Source::kPolicy:
      return "ttl of the configuration";
    case Freshness::Source::kSMaxAge:
      return "s-maxage";
    case Freshness::Source::kMaxAge:
      return "max-age";
    case Freshness::Source::kExpires:
      return "Expires";
    case Freshness::Source::kDefault:
      return "default of the configuration";
    case Freshness::Source::kHeuristic:
      return "a tenth of its age (Last-Modified)";
    case Freshness::Source::kNone:
      break;
  }
  return "nothing";
}

Freshness freshness_of(std::uint16_t status, const http::Fields& fields, const ResponseDirectives& directives,
                       const Policy& policy, std::int64_t received) {
  Freshness found = unbounded(status, fields, directives, policy, received);
  if (policy.ttl_max) found.lifetime = std::min(found.lifetime, in_seconds(*policy.ttl_max));
  return found;
}

std::int64_t initial_age(const http::Fields& fields, std::int64_t requested, std::int64_t received) {
  const std::int64_t apparent = std::max<std::int64_t>(received - date_of(fields, received), 0);
  std::int64_t said = 0;
  // The first of a list counts, and none that is not a number (RFC 9111 5.1).
  if (const auto* age = fields.find(FieldId::kAge)) {
    said = parse_seconds(http::trim(age->value.substr(0, age->value.find(',')))).value_or(0);
  }
  return std::min(std::max(apparent, said + std::max<std::int64_t>(received - requested, 0)), kSecondsMax);
}

}  // namespace rproxy::cache
