// A request's head, an answer's, and a later 304's, one behind the other: all that is decided of them stays within its bounds, and what is
// forbidden is not stored.
#include <string>

#include "cache/reuse.h"
#include "cache/vary.h"
#include "fuzz.h"
#include "http/conditional.h"
#include "http/head_parser.h"
#include "http/range.h"

namespace {

using namespace rproxy;
using namespace rproxy::cache;

constexpr std::int64_t kNow = 1'700'000'000;
const http::HeadLimits kLimits;

void check_time(const std::optional<std::int64_t>& time) { FUZZ_CHECK(!time || (*time >= 0 && *time <= kSecondsMax)); }

void check_meta(const Meta& meta) {
  FUZZ_CHECK(meta.freshness.lifetime >= 0 && meta.freshness.lifetime <= kSecondsMax);
  FUZZ_CHECK(meta.initial_age >= 0 && meta.initial_age <= kSecondsMax);
  FUZZ_CHECK(meta.stale_while_revalidate >= 0 && meta.stale_if_error >= 0);
  FUZZ_CHECK(meta.tags.size() <= 1000 && meta.groups.size() <= 1000);
  bool has_date = false;
  for (const auto& [name, value] : meta.fields) {
    const auto id = http::field_id(name);
    FUZZ_CHECK(id != http::FieldId::kAge && id != http::FieldId::kContentLength &&
               id != http::FieldId::kTransferEncoding && id != http::FieldId::kConnection);
    has_date = has_date || id == http::FieldId::kDate;
  }
  FUZZ_CHECK(has_date);
}

void check_reuse(const Meta& meta, const RequestDirectives& asked) {
  const Entry entry(meta, Content::whole("hello"));
  FUZZ_CHECK(entry.cost() >= 5);
  std::int64_t before = -1;
  for (const std::int64_t later : {-60, 0, 1, 60, 86'400, 400'000'000}) {
    const std::int64_t now_ms = meta.received_ms + later * 1000;
    const auto age = entry.age(now_ms);
    FUZZ_CHECK(age >= 0 && age >= before);
    before = age;
    const Reuse reuse = reuse_of(entry, asked, now_ms);
    FUZZ_CHECK(!explain(reuse.reason).empty());
    const bool is_fresh = meta.freshness.lifetime > age;
    if (reuse.reason == Reuse::Reason::kFresh) FUZZ_CHECK(is_fresh);
    if (reuse.use != Use::kValidate) {
      FUZZ_CHECK(!meta.no_cache && !asked.no_cache && (is_fresh || !meta.must_revalidate));
    }
    if (may_serve_on_error(entry, asked, now_ms)) FUZZ_CHECK(!meta.no_cache && !meta.must_revalidate);
  }
}

bool has_cookie(const Meta& meta) {
  for (const auto& [name, value] : meta.fields) {
    if (http::field_id(name) == http::FieldId::kSetCookie) return true;
  }
  return false;
}

void check_stored(const http::RequestHead& request, const http::ResponseHead& response,
                  const ResponseDirectives& directives, const Meta& meta) {
  FUZZ_CHECK(request.method_id == http::Method::kGet && !directives.is_private);
  FUZZ_CHECK(!directives.no_store || directives.must_understand);
  if (request.fields.has(http::FieldId::kAuthorization)) {
    FUZZ_CHECK(directives.is_public || directives.s_maxage || directives.must_revalidate);
  }
  if (has_cookie(meta)) FUZZ_CHECK(may_share_cookies(directives, {}));
  FUZZ_CHECK(meta.part.has_value() == (response.status == 206));
  if (meta.part) FUZZ_CHECK(meta.part->size && *meta.part->size > meta.part->range.last);
  FUZZ_CHECK(meta.variant.size() <= kVaryNamesMax);
  FUZZ_CHECK(matches(meta.variant, request.fields));
}

void check_conditions(const http::RequestHead& request, const http::Fields& answer) {
  const auto validators = http::validators_of(answer, kNow);
  (void)http::evaluate(request, validators, kNow);
  (void)http::if_range_holds(request.fields, validators, kNow, kNow);
  const auto range = request.fields.get(http::FieldId::kRange);
  const auto found = http::read_ranges(range, 1000, 5);
  FUZZ_CHECK(found.ranges.size() <= 5);
  for (const auto& each : found.ranges) FUZZ_CHECK(each.first <= each.last && each.last < 1000);
  if (const auto single = http::read_single_range(range)) FUZZ_CHECK(single->first || single->last);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = text_of(data, size);
  const http::PathPolicy paths;
  Arena arena;
  http::RequestHead request;
  http::RequestHeadParser request_parser(request, arena, kLimits, paths);
  const auto asked_for = request_parser.feed(bytes);
  if (!asked_for || *asked_for != http::ParseProgress::kDone) return 0;
  request.scheme = "https";
  bytes.remove_prefix(request_parser.consumed());
  http::ResponseHead response;
  http::ResponseHeadParser response_parser(response, kLimits, request.method_id);
  const auto answered = response_parser.feed(bytes);
  if (!answered || *answered != http::ParseProgress::kDone) return 0;
  bytes.remove_prefix(response_parser.consumed());

  const auto asked = RequestDirectives::of(request.fields);
  const auto directives = ResponseDirectives::of(response.fields);
  for (const auto& time : {asked.max_age, asked.min_fresh, asked.max_stale, asked.stale_if_error, directives.max_age,
                           directives.s_maxage, directives.stale_while_revalidate, directives.stale_if_error}) {
    check_time(time);
  }
  check_conditions(request, response.fields);

  const Policy policy;
  KeyOptions options;
  options.query = static_cast<KeyOptions::Query>(size % 5);
  options.parameters = {"a"};
  options.headers = {"X-A"};
  options.cookies = {"c"};
  const Key key = make_key("scope", options, request, request.authority, request.path, arena);
  FUZZ_CHECK(scope_of(key.text) == "scope" && url_of(key.text).starts_with("https://"));
  const auto freshness = freshness_of(response.status, response.fields, directives, policy, kNow);
  const auto verdict = may_store(request, asked, response, directives, freshness, policy);
  FUZZ_CHECK(!explain(verdict).empty());
  const Meta meta = make_meta(key, {request, response, directives, freshness, (kNow - 2) * 1000, kNow * 1000}, policy);
  check_meta(meta);
  check_reuse(meta, asked);
  if (verdict != StoreVerdict::kStore) return 0;
  check_stored(request, response, directives, meta);

  http::ResponseHead validation;
  http::ResponseHeadParser validation_parser(validation, kLimits, request.method_id);
  const auto validated = validation_parser.feed(bytes);
  if (!validated || *validated != http::ParseProgress::kDone) return 0;
  const Meta newer = updated(meta, validation.fields, (kNow + 9) * 1000, (kNow + 10) * 1000, policy);
  check_meta(newer);
  check_reuse(newer, asked);
  FUZZ_CHECK(newer.key == meta.key && newer.status == meta.status && newer.part.has_value() == meta.part.has_value());
  http::Fields merged;
  for (const auto& [name, value] : newer.fields) merged.add(name, value);
  const auto now = ResponseDirectives::of(merged);
  if (now.is_private) FUZZ_CHECK(newer.no_cache);
  if (has_cookie(newer)) FUZZ_CHECK(may_share_cookies(now, policy));
  return 0;
}
