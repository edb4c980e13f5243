#include "admin/cache_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "admin/views.h"
#include "cache/filter.h"

namespace rproxy::admin {
namespace {

std::string instant(std::int64_t ms) {
  return iso_time(std::chrono::system_clock::time_point(std::chrono::milliseconds(ms)));
}

std::string reason_of(const CachedObject& object, std::int64_t now_ms) {
  const cache::Meta& meta = object.meta;
  const std::int64_t age = cache::age_of(meta, now_ms);
  if (object.is_marked_stale) return "stale: purged softly";
  std::string text = fmt::format("{} s fresh by {}, {} s old ({} s when it came", meta.freshness.lifetime,
                                 to_string(meta.freshness.source), age, meta.initial_age);
  text += fmt::format(", {} s here): ", age - meta.initial_age);
  if (meta.no_cache) return text + "validated before each use (no-cache)";
  const std::int64_t left = meta.freshness.lifetime - age;
  return text + (left > 0 ? fmt::format("fresh for {} s more", left) : fmt::format("stale for {} s", -left));
}

}  // namespace

CachedObject object_of(const storage::MemoryStore::Row& row) {
  const cache::Entry& entry = *row.entry;
  return {entry.meta(), entry.content()->size(), row.hits, entry.content()->is_complete(), entry.is_marked_stale()};
}

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Json cached_object_view(const CachedObject& object, std::int64_t now_ms) {
  const cache::Meta& meta = object.meta;
  const std::int64_t age = cache::age_of(meta, now_ms);
  return {{"url", meta.url()},
          {"status", meta.status},
          {"type", cache::content_type_of(meta)},
          {"size", object.size},
          {"age", age},
          {"fresh", !object.is_marked_stale && age < meta.freshness.lifetime},
          {"ttl", meta.freshness.lifetime - age},
          {"hits", object.hits}};
}

Json cached_object_details(const CachedObject& object, std::int64_t now_ms) {
  const cache::Meta& meta = object.meta;
  Json json = cached_object_view(object, now_ms);
  json["scope"] = cache::scope_of(meta.key);
  json["key"] = meta.key + meta.extras;
  json["complete"] = object.is_complete;
  json["received"] = instant(meta.received_ms);
  json["freshness"] = reason_of(object, now_ms);
  Json terms = Json::object();
  for (const auto& term : cache::freshness_terms(meta, object.is_marked_stale, now_ms)) terms[term.name] = term.value;
  json["terms"] = std::move(terms);
  json["fresh_until"] = instant(cache::fresh_until_ms(meta));
  json["stale_while_revalidate"] = meta.stale_while_revalidate;
  json["stale_if_error"] = meta.stale_if_error;
  json["must_revalidate"] = meta.must_revalidate;
  Json vary = Json::object();
  for (const auto& field : meta.variant) vary[field.name] = field.value;
  json["vary"] = std::move(vary);
  if (meta.part) json["part"] = {{"first", meta.part->range.first}, {"last", meta.part->range.last}};
  json["tags"] = meta.tags;
  json["groups"] = meta.groups;
  Json fields = Json::array();
  for (const auto& [name, value] : meta.fields) fields.push_back({name, value});
  json["fields"] = std::move(fields);
  return json;
}

Json cache_why_view(const cache::WhyAsked& asked, const cache::Why& why, const std::vector<CachedObject>& objects,
                    std::int64_t now_ms) {
  Json json{{"answer", to_string(why.answer)}, {"reason", why.reason}};
  if (why.until_ms) json["until"] = instant(*why.until_ms);
  json["key"] = std::string(asked.key.text).append(asked.key.extras);
  if (why.chosen) json["chosen"] = *why.chosen;
  Json stored = Json::array();
  for (std::size_t i = 0; i < objects.size(); ++i) {
    stored.push_back(cached_object_details(objects[i], now_ms));
    stored.back()["misfit"] = why.misfits[i];
  }
  json["stored"] = std::move(stored);
  return json;
}

}  // namespace rproxy::admin
