// A stored answer: what it is found by, its head, its content, and the times from which its freshness follows. Immutable but for a mark;
// validating it makes another one of it that shares the content.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/content.h"
#include "cache/digest.h"
#include "cache/freshness.h"
#include "cache/key.h"
#include "cache/storing.h"
#include "cache/vary.h"
#include "http/fields.h"
#include "http/message.h"
#include "http/range.h"

namespace rproxy::cache {

// All that is stored beside the content. Wall-clock times in milliseconds since the epoch.
struct Meta {
  std::string key;     // Key::text
  std::string extras;  // Key::extras
  Variant variant;
  std::uint16_t status = 200;
  std::vector<std::pair<std::string, std::string>> fields;  // as the client shall see them; no framing, no Age
  std::optional<http::ContentRange> part;                   // of a 206; its size is known
  std::int64_t requested_ms = 0;
  std::int64_t received_ms = 0;
  std::int64_t initial_age = 0;  // seconds, as are those that follow
  Freshness freshness;
  std::int64_t stale_while_revalidate = 0;
  std::int64_t stale_if_error = 0;
  bool must_revalidate = false;  // never served stale
  bool no_cache = false;         // never served without validation
  std::vector<std::string> no_cache_fields;
  std::vector<std::string> tags;    // of Surrogate-Key and Cache-Tag
  std::vector<std::string> groups;  // of Cache-Groups

  std::string_view url() const;
};

// current_age (RFC 9111 4.2.3), in seconds.
std::int64_t age_of(const Meta& meta, std::int64_t now_ms);

// What an answer would be stored as. `request` as it was sent, with the times of that.
struct Arrival {
  const http::RequestHead& request;
  const http::ResponseHead& response;
  const ResponseDirectives& directives;
  Freshness freshness;
  std::int64_t requested_ms = 0;
  std::int64_t received_ms = 0;
};
Meta make_meta(const Key& key, const Arrival& arrival, const Policy& policy);

// The same after a 304 to a request that was to validate it, or an answer to HEAD (RFC 9111 3.2, 4.3.4, 4.3.5): its fields in the place of
// those of the same names, but for what describes the content that is stored, and for cookies that are not for all. What
// says now that it is not to be stored, or varies by what the variant doesn't know, is validated each time (no_cache).
Meta updated(const Meta& stored, const http::Fields& fields, std::int64_t requested_ms, std::int64_t received_ms,
             const Policy& policy);

// The strings that Cache-Groups or Cache-Group-Invalidation list (RFC 9875).
std::vector<std::string> cache_groups(const http::Fields& fields, http::FieldId id);

class Entry {
 public:
  Entry(Meta meta, std::shared_ptr<Content> content);
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  const Meta& meta() const { return meta_; }
  const std::shared_ptr<Content>& content() const { return content_; }
  // Views of this.
  const http::Fields& fields() const { return fields_; }
  // Seconds.
  std::int64_t age(std::int64_t now_ms) const;
  std::int64_t fresh_for(std::int64_t now_ms) const { return meta_.freshness.lifetime - age(now_ms); }
  // Of memory, all in all.
  std::size_t cost() const;

  // It counts as stale from now on, whatever it says: a soft purge, or something else was seen at its URL.
  void mark_stale() const { marked_stale_.store(true, std::memory_order_relaxed); }
  bool is_marked_stale() const { return marked_stale_.load(std::memory_order_relaxed); }

 private:
  Meta meta_;
  http::Fields fields_;
  std::shared_ptr<Content> content_;
  mutable std::atomic<bool> marked_stale_{false};
};
using EntryPtr = std::shared_ptr<const Entry>;

}  // namespace rproxy::cache
