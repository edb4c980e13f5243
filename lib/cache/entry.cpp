#include "cache/entry.h"

#include <algorithm>

#include "http/characters.h"
#include "http/date.h"
#include "http/structured.h"

namespace rproxy::cache {

using http::FieldId;

namespace {

// Tags and groups of one answer that are looked at.
constexpr std::size_t kTagsMax = 1000;

// What is of this very message, or made anew for each answer.
bool is_never_stored(FieldId id) {
  return id == FieldId::kAge || id == FieldId::kContentLength || id == FieldId::kTransferEncoding ||
         id == FieldId::kConnection || id == FieldId::kKeepAlive || id == FieldId::kTrailer || id == FieldId::kTe ||
         id == FieldId::kUpgrade || id == FieldId::kCacheStatus || id == FieldId::kProxyStatus ||
         id == FieldId::kProxyConnection || id == FieldId::kProxyAuthenticate ||
         id == FieldId::kProxyAuthenticationInfo || id == FieldId::kProxyAuthorization || id == FieldId::kHttp2Settings;
}

// What goes by the stored content, whatever a 304 says (RFC 9111 3.2).
bool describes_content(FieldId id) {
  return id == FieldId::kContentEncoding || id == FieldId::kContentType || id == FieldId::kContentRange ||
         id == FieldId::kContentLength || id == FieldId::kContentMd5;
}

std::vector<std::pair<std::string, std::string>> stored_fields(const http::Fields& from, std::int64_t received_ms) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& field : from) {
    if (!is_never_stored(field.id)) fields.emplace_back(field.name, field.value);
  }
  if (!from.has(FieldId::kDate)) {
    std::string date(http::kDateSize, '\0');
    http::write_date(date.data(), received_ms / 1000);
    fields.emplace_back("Date", std::move(date));
  }
  return fields;
}

void add_words(std::vector<std::string>& out, std::string_view text, std::string_view separators) {
  while (!text.empty() && out.size() < kTagsMax) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    if (const auto word = http::trim(text.substr(0, end)); !word.empty()) out.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string> tags_of(const http::Fields& fields) {
  std::vector<std::string> tags;
  for (const auto& field : fields) {
    if (field.id == FieldId::kSurrogateKey) add_words(tags, field.value, " ");
    if (field.id == FieldId::kCacheTag) add_words(tags, field.value, ",");
  }
  return tags;
}

std::int64_t seconds_of(const std::optional<Duration>& time) {
  return time ? std::chrono::duration_cast<std::chrono::seconds>(*time).count() : 0;
}

// All that follows from what an answer says of how it may be used.
void take_terms(Meta& meta, const http::Fields& fields, const ResponseDirectives& directives,
                const Freshness& freshness, const Policy& policy) {
  meta.freshness = freshness;
  // s-maxage forbids stale answers (RFC 9111 5.2.2.10), unless the same answer allows them in so many words.
  const bool allows_stale = directives.stale_while_revalidate || directives.stale_if_error;
  meta.must_revalidate =
      directives.must_revalidate || directives.proxy_revalidate || (directives.s_maxage && !allows_stale);
  meta.no_cache = directives.no_cache;
  meta.no_cache_fields = directives.no_cache_fields;
  meta.stale_while_revalidate = directives.stale_while_revalidate.value_or(seconds_of(policy.grace));
  meta.stale_if_error = directives.stale_if_error.value_or(seconds_of(policy.stale_if_error));
  meta.tags = tags_of(fields);
  meta.groups = cache_groups(fields, FieldId::kCacheGroups);
}

void take_times(Meta& meta, const http::Fields& fields, std::int64_t requested_ms, std::int64_t received_ms) {
  meta.requested_ms = requested_ms;
  meta.received_ms = received_ms;
  // What the configuration decides counts from here.
  const bool counts_age = meta.freshness.source != Freshness::Source::kPolicy;
  meta.initial_age = counts_age ? initial_age(fields, requested_ms / 1000, received_ms / 1000) : 0;
}

// Whether the variant knows all that the answer varies by.
bool is_told_apart(const Variant& variant, const http::Fields& fields) {
  return std::ranges::all_of(vary_names(fields), [&](const std::string& name) {
    return std::ranges::find(variant, name, &VaryField::name) != variant.end();
  });
}

}  // namespace

std::vector<std::string> cache_groups(const http::Fields& fields, http::FieldId id) {
  std::vector<std::string> groups;
  const auto list = http::structured::parse_list(http::joined(fields, id));
  if (!list) return groups;
  for (const auto& member : *list) {
    if (member.is_list || groups.size() >= kTagsMax) continue;
    if (const auto* name = std::get_if<std::string>(&member.value())) groups.push_back(*name);
  }
  return groups;
}

std::string_view Meta::url() const { return url_of(key); }

std::int64_t age_of(const Meta& meta, std::int64_t now_ms) {
  return meta.initial_age + std::max<std::int64_t>(now_ms - meta.received_ms, 0) / 1000;
}

Meta make_meta(const Key& key, const Arrival& arrival, const Policy& policy) {
  const http::Fields& fields = arrival.response.fields;
  Meta meta;
  meta.key = key.text;
  meta.extras = key.extras;
  meta.variant = variant_of(vary_names(fields), arrival.request.fields);
  meta.status = arrival.response.status;
  meta.fields = stored_fields(fields, arrival.received_ms);
  if (meta.status == 206) meta.part = http::parse_content_range(fields.get(FieldId::kContentRange));
  take_terms(meta, fields, arrival.directives, arrival.freshness, policy);
  take_times(meta, fields, arrival.requested_ms, arrival.received_ms);
  return meta;
}

Meta updated(const Meta& stored, const http::Fields& fields, std::int64_t requested_ms, std::int64_t received_ms,
             const Policy& policy) {
  Meta meta = stored;
  const auto newer = stored_fields(fields, received_ms);
  std::erase_if(meta.fields, [&](const auto& old) {
    return !describes_content(http::field_id(old.first)) && std::ranges::any_of(newer, [&](const auto& field) {
      return http::equals_ignoring_case(field.first, old.first);
    });
  });
  for (const auto& field : newer) {
    if (!describes_content(http::field_id(field.first))) meta.fields.push_back(field);
  }
  http::Fields merged;
  for (const auto& [name, value] : meta.fields) merged.add(name, value);
  const auto directives = ResponseDirectives::of(merged);
  take_terms(meta, merged, directives, freshness_of(meta.status, merged, directives, policy, received_ms / 1000),
             policy);
  take_times(meta, fields, requested_ms, received_ms);
  // Stored it should not be any more; as long as it is, each request asks.
  const bool forbids_storing = directives.is_private || (directives.no_store && !directives.must_understand);
  meta.no_cache = meta.no_cache || forbids_storing || !is_told_apart(meta.variant, merged);
  // The answer was to one client, and what it sets may be his alone.
  if (!may_share_cookies(directives, policy)) {
    std::erase_if(meta.fields, [](const auto& field) { return http::field_id(field.first) == FieldId::kSetCookie; });
  }
  return meta;
}

Entry::Entry(Meta meta, std::shared_ptr<Content> content) : meta_(std::move(meta)), content_(std::move(content)) {
  fields_.reserve(meta_.fields.size());
  for (const auto& [name, value] : meta_.fields) fields_.add(name, value);
}

std::int64_t Entry::age(std::int64_t now_ms) const { return age_of(meta_, now_ms); }

std::size_t Entry::cost() const {
  // What finds it: a node, and its part of a table.
  constexpr std::size_t kPlace = 200;
  std::size_t size = kPlace + sizeof(Entry) + sizeof(Content) + meta_.key.capacity() + meta_.extras.size();
  for (const auto& [name, value] : meta_.fields)
    size += sizeof(http::Field) + 2 * sizeof(std::string) + name.size() + value.size();
  for (const auto& field : meta_.variant)
    size += sizeof(field) + field.name.size() + field.value.size() + field.written.size();
  for (const auto* texts : {&meta_.no_cache_fields, &meta_.tags, &meta_.groups}) {
    for (const auto& text : *texts) size += sizeof(std::string) + text.size();
  }
  return size + content_->cost();
}

}  // namespace rproxy::cache
