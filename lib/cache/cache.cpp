#include "cache/cache.h"

#include <algorithm>
#include <optional>

namespace rproxy::cache {
namespace {

// Those that a fetch under way may have been made before. What is older than the oldest counts as purged.
constexpr std::size_t kPurgesMax = 1024;
// Of memory, at most so much may be coming at once.
constexpr std::int64_t kFillingShare = 4;

}  // namespace

Cache::Cache(const Options& options) : options_(options), memory_(options.memory.bytes) {}

bool Cache::has_room_to_fill() const {
  return filling_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(options_.memory.bytes) / kFillingShare;
}

bool Cache::insert(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight) {
  if (was_purged(entry->meta())) return false;
  if (!memory_.insert(entry, replaces, &flight)) return false;
  // One that came in between has not seen it.
  if (!was_purged(entry->meta())) return true;
  memory_.remove(entry);
  return false;
}

void Cache::remember(const Purge& purge, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  purged_.push_back({now_ms, purge});
  if (purged_.size() > kPurgesMax) {
    forgotten_at_ = std::max(forgotten_at_, purged_.front().at_ms);
    purged_.pop_front();
  }
  purged_at_.store(std::max(purged_at_.load(), now_ms));
}

bool Cache::was_purged(const Meta& meta) const {
  if (meta.requested_ms > purged_at_.load()) return false;
  const std::lock_guard lock(mutex_);
  if (meta.requested_ms <= forgotten_at_) return true;
  return std::ranges::any_of(
      purged_, [&](const Purged& each) { return each.at_ms >= meta.requested_ms && each.purge.matches(meta); });
}

std::uint64_t Cache::purge(const Purge& purge, std::int64_t now_ms) {
  if (purge.kind != Purge::Kind::kUrl) {
    remember(purge, now_ms);
    return memory_.purge(purge);
  }
  std::uint64_t count = 0;
  for (const std::string& scope : scopes()) {
    const std::string text = scope + ' ' + purge.what;
    count += memory_.purge_key(Digest::of(text), text, purge.is_soft);
  }
  return count;
}

void Cache::add_scope(const std::string& scope) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(scopes_, scope) == scopes_.end()) scopes_.push_back(scope);
}

std::vector<std::string> Cache::scopes() const {
  const std::lock_guard lock(mutex_);
  return scopes_;
}

}  // namespace rproxy::cache
