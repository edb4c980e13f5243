#include "proxy/cached_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "http/conditional.h"
#include "http/date.h"
#include "http/range.h"
#include "proxy/content_body.h"
#include "proxy/multipart_body.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;
using http::FieldId;
using Kind = CacheOutcome::Kind;

namespace {

constexpr std::size_t kRangesMax = 16;

// RFC 9110 15.4.5, and what keeps the client's copy fresh.
bool belongs_to_not_modified(const http::Field& field) {
  return field.id == FieldId::kCacheControl || field.id == FieldId::kContentLocation || field.id == FieldId::kDate ||
         field.id == FieldId::kEtag || field.id == FieldId::kExpires || field.id == FieldId::kVary ||
         field.id == FieldId::kLastModified || field.id == FieldId::kCdnCacheControl ||
         field.id == FieldId::kNoVarySearch;
}

bool is_held_back(const cache::Meta& meta, std::string_view name) {
  return std::ranges::any_of(meta.no_cache_fields,
                             [&](const std::string& held) { return http::equals_ignoring_case(held, name); });
}

std::optional<std::int64_t> date_of(const http::Fields& fields, std::int64_t now) {
  return http::parse_date(fields.get(FieldId::kDate), now);
}

// The texts go into the arena: nothing keeps the entry.
Response not_modified(Request& request, const cache::Entry& entry) {
  Response response;
  response.head.status = 304;
  for (const auto& field : entry.fields()) {
    if (!belongs_to_not_modified(field)) continue;
    response.head.fields.add(http::Field{request.arena->copy(field.name), request.arena->copy(field.value), field.id});
  }
  return response;
}

Response unsatisfied(Request& request, std::uint64_t size) {
  Response response;
  response.head.status = 416;
  response.head.fields.add(FieldId::kContentRange, http::unsatisfied_range_text(size, *request.arena));
  return response;
}

Response whole(Request& request, const cache::EntryPtr& entry) {
  Response response;
  response.head.status = entry->meta().status;
  response.head.fields = entry->fields();
  response.body = std::make_unique<ContentBody>(entry, *request.loop, 0, ContentBody::kToEnd);
  return response;
}

Response one_range(Request& request, const cache::EntryPtr& entry, const http::ByteRange& range, std::uint64_t size,
                   std::uint64_t begin) {
  Response response;
  response.head.status = 206;
  response.head.fields = entry->fields();
  response.head.fields.set(FieldId::kContentRange, http::content_range_text(range, size, *request.arena));
  response.body = std::make_unique<ContentBody>(entry, *request.loop, range.first - begin, range.size());
  return response;
}

Response many_ranges(Request& request, const cache::EntryPtr& entry, std::vector<http::ByteRange> ranges,
                     std::uint64_t size) {
  Response response;
  response.head.status = 206;
  response.head.fields = entry->fields();
  const std::string_view type = request.arena->copy(entry->fields().get(FieldId::kContentType));
  auto body = std::make_unique<MultipartBody>(entry, *request.loop, std::move(ranges), size, type);
  response.head.fields.set(FieldId::kContentType, request.arena->copy(body->content_type()));
  response.body = std::move(body);
  return response;
}

// What a Range asks for of a whole 200 (RFC 9110 14.2); where nothing comes of it, all.
Response of_whole(Request& request, const cache::EntryPtr& entry, std::int64_t now) {
  const http::Fields& asked = request.head.fields;
  const auto* range = asked.find(FieldId::kRange);
  const auto size = entry->content()->length();
  if (range == nullptr || !size || request.head.method_id != http::Method::kGet || entry->meta().status != 200) {
    return whole(request, entry);
  }
  const auto validators = http::validators_of(entry->fields(), now);
  if (!http::if_range_holds(asked, validators, date_of(entry->fields(), now), now)) return whole(request, entry);
  auto found = http::read_ranges(range->value, *size, kRangesMax);
  using Found = http::RequestedRanges::Kind;
  if (found.kind == Found::kIgnored) return whole(request, entry);
  if (found.kind == Found::kUnsatisfiable) return unsatisfied(request, *size);
  if (found.ranges.size() == 1) return one_range(request, entry, found.ranges.front(), *size, 0);
  return many_ranges(request, entry, std::move(found.ranges), *size);
}

// Who looked it up has seen that the part has what is asked for.
Response of_part(Request& request, const cache::EntryPtr& entry) {
  const auto& part = *entry->meta().part;
  const auto found = http::read_ranges(request.head.fields.get(FieldId::kRange), *part.size, 1);
  const bool is_whole_part = found.ranges.size() != 1 || found.ranges.front() == part.range;
  return one_range(request, entry, is_whole_part ? part.range : found.ranges.front(), *part.size, part.range.first);
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kHit:
      return "hit";
    case Kind::kStale:
      return "stale";
    case Kind::kMiss:
      return "miss";
    case Kind::kValidated:
      return "revalidated";
    case Kind::kFailedOver:
      return "stale_error";
    case Kind::kPass:
      break;
  }
  return "pass";
}

void tell_status(Request& request, http::ResponseHead& head, const CacheOutcome& outcome, std::int64_t fresh_for,
                 std::string_view name) {
  fmt::memory_buffer text;
  const auto out = fmt::appender(text);
  fmt::format_to(out, "{}", name);
  if (outcome.kind == Kind::kHit || outcome.kind == Kind::kStale) {
    fmt::format_to(out, "; hit; ttl={}", fresh_for);
  } else {
    if (!outcome.forwarded.empty()) fmt::format_to(out, "; fwd={}", outcome.forwarded);
    if (outcome.forward_status != 0 && outcome.forward_status != head.status) {
      fmt::format_to(out, "; fwd-status={}", outcome.forward_status);
    }
    if (outcome.is_stored) fmt::format_to(out, "; stored; ttl={}", fresh_for);
    if (outcome.is_collapsed) fmt::format_to(out, "; collapsed");
    if (outcome.kind == Kind::kFailedOver) fmt::format_to(out, "; detail=stale-if-error");
  }
  head.fields.add(FieldId::kCacheStatus, request.arena->copy({text.data(), text.size()}));
}

Response answer_from(Request& request, const cache::EntryPtr& entry, const CacheOutcome& outcome, std::int64_t now_ms) {
  const cache::Meta& meta = entry->meta();
  const std::int64_t now = now_ms / 1000;
  auto validators = http::validators_of(entry->fields(), now);
  // RFC 9111 4.3.2: without Last-Modified the date it was made counts.
  if (!validators.last_modified)
    validators.last_modified = date_of(entry->fields(), now).value_or(meta.received_ms / 1000);
  const bool may_compare = meta.status == 200 || meta.status == 206;
  Response response;
  if (may_compare && http::is_not_modified(request.head, validators, now)) {
    response = not_modified(request, *entry);
  } else {
    response = meta.part ? of_part(request, entry) : of_whole(request, entry, now);
  }
  http::Fields& fields = response.head.fields;
  if (!meta.no_cache_fields.empty() && !outcome.keeps_unvalidated) {
    fields.remove_if([&](const http::Field& field) { return is_held_back(meta, field.name); });
  }
  fields.add(FieldId::kAge, request.arena->copy(fmt::format_int(entry->age(now_ms)).c_str()));
  return response;
}

}  // namespace rproxy::proxy
