#include "proxy/cached_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "exchange/representation.h"
#include "http/conditional.h"
#include "http/date.h"
#include "http/range.h"
#include "proxy/content_body.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;
using http::FieldId;
using Kind = CacheOutcome::Kind;

namespace {

bool is_held_back(const cache::Meta& meta, std::string_view name) {
  return std::ranges::any_of(meta.no_cache_fields,
                             [&](const std::string& held) { return http::equals_ignoring_case(held, name); });
}

std::optional<std::int64_t> date_of(const http::Fields& fields, std::int64_t now) {
  return http::parse_date(fields.get(FieldId::kDate), now);
}

Response whole(Request& request, const cache::EntryPtr& entry, storage::Cache& keeper) {
  Response response;
  response.head.status = entry->meta().status;
  response.head.fields = entry->fields();
  response.body = std::make_unique<ContentBody>(entry, *request.loop, keeper);
  return response;
}

exchange::PartMaker parts_of(const Request& request, const cache::EntryPtr& entry) {
  return [entry, loop = request.loop](std::uint64_t first, std::uint64_t size) {
    return std::make_unique<ContentBody>(entry, *loop, first, size);
  };
}

Response of_whole(Request& request, const cache::EntryPtr& entry, std::int64_t now, storage::Cache& keeper) {
  const auto size = entry->content()->length();
  if (!size || entry->meta().status != 200 || !request.head.fields.has(FieldId::kRange))
    return whole(request, entry, keeper);
  const exchange::Representation of{entry->fields(), *size, http::validators_of(entry->fields(), now),
                                    date_of(entry->fields(), now), parts_of(request, entry)};
  auto ranged = exchange::answer_range(request, of, now);
  return ranged ? std::move(*ranged) : whole(request, entry, keeper);
}

// Who looked it up has seen that the part has what is asked for.
Response of_part(Request& request, const cache::EntryPtr& entry) {
  const auto& part = *entry->meta().part;
  const auto found = http::read_ranges(request.head.fields.get(FieldId::kRange), *part.size, 1);
  const bool is_whole_part = found.ranges.size() != 1 || found.ranges.front() == part.range;
  const http::ByteRange& range = is_whole_part ? part.range : found.ranges.front();
  const auto make = [&](std::uint64_t first, std::uint64_t size) {
    return std::make_unique<ContentBody>(entry, *request.loop, first - part.range.first, size);
  };
  return exchange::one_range(request, entry->fields(), range, *part.size, make);
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

Response answer_from(Request& request, const cache::EntryPtr& entry, const CacheOutcome& outcome, std::int64_t now_ms,
                     storage::Cache& keeper) {
  const cache::Meta& meta = entry->meta();
  const std::int64_t now = now_ms / 1000;
  auto validators = http::validators_of(entry->fields(), now);
  // RFC 9111 4.3.2: without Last-Modified the date it was made counts.
  if (!validators.last_modified)
    validators.last_modified = date_of(entry->fields(), now).value_or(meta.received_ms / 1000);
  const bool may_compare = meta.status == 200 || meta.status == 206;
  Response response;
  if (may_compare && http::is_not_modified(request.head, validators, now)) {
    response = exchange::not_modified(request, entry->fields());
  } else {
    response = meta.part ? of_part(request, entry) : of_whole(request, entry, now, keeper);
  }
  http::Fields& fields = response.head.fields;
  if (!meta.no_cache_fields.empty() && !outcome.keeps_unvalidated) {
    fields.remove_if([&](const http::Field& field) { return is_held_back(meta, field.name); });
  }
  fields.add(FieldId::kAge, request.arena->copy(fmt::format_int(entry->age(now_ms)).c_str()));
  return response;
}

}  // namespace rproxy::proxy
