#include "storage/cache.h"

#include <algorithm>
#include <optional>

namespace rproxy::storage {
namespace {

// Those that a fetch under way may have been made before. What is older than the oldest counts as purged.
constexpr std::size_t kPurgesMax = 1024;
constexpr std::size_t kRulesMax = 10'000;
// Of memory, at most so much may be coming at once.
constexpr std::int64_t kFillingShare = 4;

}  // namespace

Cache::Cache(const Options& options) : options_(options), memory_(options.memory.bytes) {}

bool Cache::has_room_to_fill() const {
  return filling_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(options_.memory.bytes) / kFillingShare;
}

bool Cache::insert(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight, std::uint64_t purges) {
  if (was_purged(entry->meta(), purges)) return false;
  if (!memory_.insert(entry, replaces, &flight)) return false;
  // One that came in between has not seen it.
  if (!was_purged(entry->meta(), purges)) return true;
  memory_.remove(entry);
  return false;
}

std::string Cache::shared_text(std::string_view text) const {
  const auto question = std::min(text.find('?'), text.size());
  const std::lock_guard lock(mutex_);
  const auto found = rules_.find(Digest::of(text.substr(0, question)));
  if (found == rules_.end()) return std::string(text);
  const std::string query = found->second.significant(text.substr(std::min(question + 1, text.size())));
  return std::string(text.substr(0, question)).append(query.empty() ? "" : "?").append(query);
}

Key Cache::shared_key(const Key& key, Arena& arena) const {
  if (!has_rules_.load(std::memory_order_relaxed)) return key;
  Key shared = key;
  shared.text = arena.copy(shared_text(key.text));
  shared.digest = Digest::of(shared.text);
  return shared;
}

void Cache::learn(const Key& key, const cache::SearchRule& rule) {
  const std::lock_guard lock(mutex_);
  // Where there are more, those that come again are learnt again.
  if (rules_.size() >= kRulesMax) rules_.clear();
  rules_.insert_or_assign(Digest::of(key.text.substr(0, key.text.find('?'))), rule);
  has_rules_.store(true, std::memory_order_relaxed);
}

void Cache::remember(const Purge& purge) {
  const std::lock_guard lock(mutex_);
  purged_.push_back({purges_.load() + 1, purge});
  if (purged_.size() > kPurgesMax) {
    forgotten_ = purged_.front().number;
    purged_.pop_front();
  }
  purges_.fetch_add(1);
}

bool Cache::was_purged(const Meta& meta, std::uint64_t purges) const {
  if (purges == purges_.load()) return false;
  const std::lock_guard lock(mutex_);
  if (purges < forgotten_) return true;
  return std::ranges::any_of(purged_,
                             [&](const Purged& each) { return each.number > purges && each.purge.matches(meta); });
}

std::uint64_t Cache::purge(const Purge& purge) {
  if (purge.kind != Purge::Kind::kUrl) {
    remember(purge);
    return memory_.purge(purge);
  }
  std::uint64_t count = 0;
  for (const std::string& scope : scopes()) {
    const std::string text = shared_text(scope + ' ' + purge.what);
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

}  // namespace rproxy::storage
