#include "cache/storing.h"

#include "cache/vary.h"
#include "http/characters.h"
#include "http/range.h"

namespace rproxy::cache {

using http::FieldId;

namespace {

// What we know the meaning of, as far as a cache must (RFC 9111 5.2.2.3).
bool is_understood(std::uint16_t status) {
  return is_heuristically_cacheable(status) || status == 302 || status == 307;
}

bool is_shared_explicitly(const ResponseDirectives& directives) { return directives.is_public || directives.s_maxage; }

bool varies_by_all(const http::Fields& fields) {
  for (const auto& field : fields) {
    if (field.id == FieldId::kVary && http::list_contains(field.value, "*")) return true;
  }
  return false;
}

}  // namespace

std::string_view explain(StoreVerdict verdict) {
  switch (verdict) {
    case StoreVerdict::kStore:
      return "it may be stored";
    case StoreVerdict::kMethod:
      return "answers to this method are not stored (RFC 9111 3)";
    case StoreVerdict::kClientNoStore:
      return "the client's no-store forbids it (RFC 9111 5.2.1.5)";
    case StoreVerdict::kNoStore:
      return "no-store forbids it (RFC 9111 5.2.2.5)";
    case StoreVerdict::kPrivate:
      return "private forbids it (RFC 9111 5.2.2.7)";
    case StoreVerdict::kAuthorization:
      return "the request has Authorization, and the answer is neither public nor has it must-revalidate or s-maxage "
             "(RFC 9111 3.5)";
    case StoreVerdict::kSetCookie:
      return "it sets a cookie, and is neither public nor has it s-maxage";
    case StoreVerdict::kVaryAll:
      return "Vary is * or names too much: no other request matches (RFC 9111 4.1)";
    case StoreVerdict::kNotUnderstood:
      return "must-understand, and the status is not understood (RFC 9111 5.2.2.3)";
    case StoreVerdict::kNotSaid:
      return "it says not how long it is fresh, and its status must say so (RFC 9111 3)";
    case StoreVerdict::kUseless:
      return "it is to be validated at once, and has no validator (RFC 9111 4.3.1)";
    case StoreVerdict::kPartial:
      return "it is not one range of a whole whose size is known (RFC 9111 3.3)";
    case StoreVerdict::kTooLarge:
      return "it is larger than an object may be";
  }
  return {};
}

bool may_share_cookies(const ResponseDirectives& directives, const Policy& policy) {
  // What is said to shared caches alone is said of sharing.
  const bool is_for_us = directives.is_targeted && directives.max_age;
  return policy.store_cookies || is_shared_explicitly(directives) || is_for_us;
}

StoreVerdict may_store(const http::RequestHead& request, const RequestDirectives& asked,
                       const http::ResponseHead& response, const ResponseDirectives& directives,
                       const Freshness& freshness, const Policy& policy) {
  const http::Fields& fields = response.fields;
  if (request.method_id != http::Method::kGet) return StoreVerdict::kMethod;
  if (asked.no_store) return StoreVerdict::kClientNoStore;
  if (directives.must_understand && !is_understood(response.status)) return StoreVerdict::kNotUnderstood;
  if (directives.no_store && !directives.must_understand) return StoreVerdict::kNoStore;
  if (directives.is_private) return StoreVerdict::kPrivate;
  if (request.fields.has(FieldId::kAuthorization) && !is_shared_explicitly(directives) && !directives.must_revalidate) {
    return StoreVerdict::kAuthorization;
  }
  if (fields.has(FieldId::kSetCookie) && !may_share_cookies(directives, policy)) return StoreVerdict::kSetCookie;
  if (varies_by_all(fields) || vary_names(fields).size() > kVaryNamesMax) return StoreVerdict::kVaryAll;
  if (response.status < 200 || response.status == 304) return StoreVerdict::kNotUnderstood;
  if (response.status == 206) {
    const auto range = http::parse_content_range(fields.get(FieldId::kContentRange));
    if (!range || !range->size) return StoreVerdict::kPartial;
  }
  const bool says = freshness.source != Freshness::Source::kNone;
  if (!says && !is_heuristically_cacheable(response.status) && !directives.is_public) return StoreVerdict::kNotSaid;
  const bool has_validator = fields.has(FieldId::kEtag) || fields.has(FieldId::kLastModified);
  const bool serves_stale =
      !directives.no_cache && (directives.stale_while_revalidate.value_or(0) > 0 ||
                               directives.stale_if_error.value_or(0) > 0 || policy.grace || policy.stale_if_error);
  const bool is_validated = freshness.lifetime == 0 || directives.no_cache;
  if (is_validated && !has_validator && !serves_stale) return StoreVerdict::kUseless;
  return StoreVerdict::kStore;
}

}  // namespace rproxy::cache
