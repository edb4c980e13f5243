#include "http/conditional.h"

#include <algorithm>

#include "http/characters.h"
#include "http/date.h"

namespace rproxy::http {
namespace {

std::string_view opaque(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

// Each tag of a list. A backslash is a character of it, and no escape as in quoted strings (RFC 9110 8.8.3).
template <typename Visit>
void for_each_tag(std::string_view list, Visit visit) {
  while (!list.empty()) {
    std::size_t end = 0;
    for (bool quoted = false; end < list.size() && (quoted || list[end] != ','); ++end) {
      if (list[end] == '"') quoted = !quoted;
    }
    const auto tag = trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!tag.empty() && !visit(tag)) return;
  }
}

// Whether one of the tags a field lists, or "*", is this one.
template <typename Matches>
bool lists(const Fields& fields, FieldId id, std::string_view etag, Matches matches) {
  bool found = false;
  for (const Field& field : fields) {
    if (field.id != id || found) continue;
    for_each_tag(field.value, [&](std::string_view tag) {
      found = tag == "*" || matches(tag, etag);
      return !found;
    });
  }
  return found;
}

std::optional<std::int64_t> date_in(const Fields& fields, FieldId id, std::int64_t now) {
  const Field* field = fields.find(id);
  return field != nullptr ? parse_date(field->value, now) : std::nullopt;
}

bool reads(const RequestHead& request) {
  return request.method_id == Method::kGet || request.method_id == Method::kHead;
}

}  // namespace

bool is_entity_tag(std::string_view tag) {
  const auto text = opaque(tag);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  return std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u == 0x21 || (u >= 0x23 && u != 0x7f);
  });
}

bool is_weak(std::string_view tag) { return tag.starts_with("W/"); }

bool matches_weakly(std::string_view a, std::string_view b) {
  return is_entity_tag(a) && is_entity_tag(b) && opaque(a) == opaque(b);
}

bool matches_strongly(std::string_view a, std::string_view b) {
  return !is_weak(a) && !is_weak(b) && is_entity_tag(a) && a == b;
}

Validators validators_of(const Fields& response, std::int64_t now) {
  return {response.get(FieldId::kEtag), date_in(response, FieldId::kLastModified, now)};
}

bool is_not_modified(const RequestHead& request, const Validators& validators, std::int64_t now) {
  const Fields& fields = request.fields;
  if (fields.has(FieldId::kIfNoneMatch)) {
    return lists(fields, FieldId::kIfNoneMatch, validators.etag, matches_weakly);
  }
  if (!reads(request) || !validators.last_modified) return false;
  const auto since = date_in(fields, FieldId::kIfModifiedSince, now);
  return since && *validators.last_modified <= *since;
}

Precondition evaluate(const RequestHead& request, const Validators& validators, std::int64_t now) {
  const Fields& fields = request.fields;
  if (fields.has(FieldId::kIfMatch)) {
    if (!lists(fields, FieldId::kIfMatch, validators.etag, matches_strongly)) return Precondition::kFailed;
  } else if (const auto since = date_in(fields, FieldId::kIfUnmodifiedSince, now)) {
    if (validators.last_modified && *validators.last_modified > *since) return Precondition::kFailed;
  }
  if (!is_not_modified(request, validators, now)) return Precondition::kHolds;
  return reads(request) ? Precondition::kNotModified : Precondition::kFailed;
}

bool if_range_holds(const Fields& request, const Validators& validators, std::optional<std::int64_t> date,
                    std::int64_t now) {
  const Field* field = request.find(FieldId::kIfRange);
  if (field == nullptr) return true;
  if (field->value.ends_with('"')) return matches_strongly(field->value, validators.etag);
  const auto wanted = parse_date(field->value, now);
  // RFC 9110 8.8.2.2: strong where it lies a second before the answer at least.
  return wanted && validators.last_modified && *wanted == *validators.last_modified && date &&
         *date > *validators.last_modified;
}

}  // namespace rproxy::http
