#include "storage/cache.h"

#include <algorithm>
#include <optional>

namespace rproxy::storage {
namespace {

// Those that a fetch under way may have been made before. What is older than the oldest counts as purged.
constexpr std::size_t kPurgesMax = 1024;
constexpr std::size_t kRulesMax = 10'000;
// Other terms make a file be copied. Larger ones are validated once more after a restart.
constexpr std::uint64_t kUpdateMax = 16 * 1024 * 1024;
// Of memory, at most so much may be coming at once.
constexpr std::int64_t kFillingShare = 4;

}  // namespace

Cache::Cache(const Options& options, std::shared_ptr<DiskStore> disk)
    : options_(options), memory_(options.memory.bytes), disk_(std::move(disk)) {
  if (disk_ != nullptr) disk_->add_listener(*this);
}

Cache::~Cache() {
  if (disk_ != nullptr) disk_->remove_listener(*this);
}

std::uint64_t Cache::memory_object_max() const { return std::min(options_.object_max.bytes, memory_.object_max()); }

std::uint64_t Cache::object_max() const {
  return disk_ != nullptr ? std::max(memory_object_max(), disk_->object_max()) : memory_object_max();
}

bool Cache::has_room_to_fill() const {
  return filling_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(options_.memory.bytes) / kFillingShare;
}

void Cache::note_use(const EntryPtr& entry, cache::CodedForm& form) {
  if (form.has_become_hot()) improver_.improve(entry, form);
}

bool Cache::insert(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight, std::uint64_t purges) {
  if (was_purged(entry->meta(), purges)) return false;
  if (!memory_.insert(entry, replaces, &flight)) return false;
  // One that came in between has not seen it.
  if (!was_purged(entry->meta(), purges)) return true;
  memory_.remove(entry);
  return false;
}

bool Cache::replace(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight, std::uint64_t purges) {
  if (!insert(entry, replaces, flight, purges)) return false;
  const bool is_worth_it = entry->content()->length().value_or(0) <= kUpdateMax;
  if (is_worth_it && may_be_on_disk(flight.digest())) disk_->update(replaces->meta(), entry->meta());
  return true;
}

void Cache::remove(const EntryPtr& entry) {
  memory_.remove(entry);
  if (may_be_on_disk(Digest::of(entry->meta().key))) disk_->remove(entry->meta());
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

Cache::PurgeCount Cache::purge(const Purge& purge, std::int64_t now_ms, const std::shared_ptr<void>& held) {
  PurgeCount count;
  const auto done = [held](const Result<void>&) {};
  if (purge.kind != Purge::Kind::kUrl) {
    remember(purge);
    if (disk_ != nullptr && purge.kind == Purge::Kind::kAll) count.disk = disk_->counts().objects;
    // What is not found there any more can't come back from it.
    if (disk_ != nullptr) disk_->purge(purge, now_ms, done);
    count.memory = memory_.purge(purge);
    return count;
  }
  if (disk_ != nullptr) count.disk = 0;
  for (const std::string& scope : scopes()) {
    const std::string text = shared_text(scope + ' ' + purge.what);
    const Digest digest = Digest::of(text);
    if (disk_ != nullptr) {
      *count.disk += disk_->count(digest);
      disk_->purge_key(text, purge.is_soft, now_ms, done);
    }
    count.memory += memory_.purge_key(digest, text, purge.is_soft);
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
