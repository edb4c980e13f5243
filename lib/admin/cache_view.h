// Stored answers as JSON.
#pragma once

#include <cstdint>
#include <vector>

#include "admin/answer.h"
#include "cache/why.h"
#include "storage/memory_store.h"

namespace rproxy::admin {

struct CachedObject {
  const cache::Meta& meta;
  std::uint64_t size = 0;  // of the content so far
  std::uint64_t hits = 0;
  bool is_complete = true;
  bool is_marked_stale = false;
};
// Of the row's entry, which outlives it.
CachedObject object_of(const storage::MemoryStore::Row& row);

// Since the epoch.
std::int64_t wall_ms();

// A line of a list.
Json cached_object_view(const CachedObject& object, std::int64_t now_ms);
// All there is to know, with the arithmetic of its freshness.
Json cached_object_details(const CachedObject& object, std::int64_t now_ms);
// Whether a request is answered from what is stored; `objects`: the candidates, in their order.
Json cache_why_view(const cache::WhyAsked& asked, const cache::Why& why, const std::vector<CachedObject>& objects,
                    std::int64_t now_ms);

}  // namespace rproxy::admin
