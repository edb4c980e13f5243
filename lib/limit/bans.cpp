#include "limit/bans.h"

#include <algorithm>

#include "base/utf8.h"

namespace rproxy::limit {
namespace {

constexpr std::size_t kBanBucketFill = 4;

std::int64_t ban_time(TimePoint time) { return time.time_since_epoch().count(); }

TimePoint later_by(TimePoint time, Duration by) {
  using std::chrono::duration_cast;
  if (by >= duration_cast<Duration>(TimePoint::max() - std::max(time, TimePoint{}))) return TimePoint::max();
  return time + std::max(by, Duration(0));
}

Duration length_of(const BanOptions& options, std::uint32_t offences) {
  Duration length = options.first;
  for (std::uint32_t i = 1; i < offences && length < options.longest && length > Duration(0); ++i) {
    length = length > options.longest / 2 ? options.longest : length * 2;
  }
  return length;
}

std::string ban_label(std::string_view text) {
  if (text.size() <= Bans::kLabelMax) return std::string(text);
  std::size_t end = Bans::kLabelMax;
  while (end > 0 && is_continuation(text[end])) --end;
  return std::string(text.substr(0, end));
}

}  // namespace

Bans::Bans(std::size_t capacity)
    : capacity_(std::clamp(capacity, std::size_t{1}, std::size_t{kBanBucketFill} << 32)),
      size_((capacity_ + kBanBucketFill - 1) / kBanBucketFill),
      buckets_(std::make_unique<Bucket[]>(size_)) {}

std::optional<TimePoint> Bans::until(Key key, TimePoint now) const {
  if (ban_time(now) >= latest_.load(std::memory_order_acquire)) return std::nullopt;
  Bucket& bucket = bucket_of(key);
  if (ban_time(now) >= bucket.latest.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(bucket.lock);
  const Record* record = find(bucket, key);
  if (record == nullptr || record->ban.until <= now) return std::nullopt;
  return record->ban.until;
}

Ban Bans::punish(Key key, std::string_view label, const BanOptions& options, TimePoint now, std::uint32_t rule) {
  const std::lock_guard lock(changes_);
  const Record* known = find(bucket_of(key), key);
  if (known != nullptr && known->ban.until > now) return known->ban;
  Record record{{key, ban_label(label), {}, 1, rule}, {}};
  if (known != nullptr && known->forget > now) record.ban.offences += known->ban.offences;
  record.ban.until = later_by(now, length_of(options, record.ban.offences));
  record.forget = later_by(record.ban.until, options.forget_after);
  Ban ban = record.ban;
  put(std::move(record), now);
  return ban;
}

void Bans::add(Key key, std::string_view label, TimePoint until, TimePoint now, std::uint32_t rule) {
  const std::lock_guard lock(changes_);
  Record record{{key, ban_label(label), until, 0, rule}, until};
  if (const Record* known = find(bucket_of(key), key)) {
    record.ban.offences = known->ban.offences;
    record.forget = std::max(until, known->forget);
  }
  put(std::move(record), now);
}

bool Bans::lift(Key key) {
  const std::lock_guard lock(changes_);
  if (!erase(key)) return false;
  set_latest();
  return true;
}

std::size_t Bans::lift_all() {
  const std::lock_guard lock(changes_);
  const std::size_t known = order_.size();
  while (!order_.empty()) erase(order_.begin()->second);
  set_latest();
  return known;
}

std::vector<Ban> Bans::list(TimePoint now, std::size_t max) const {
  const std::lock_guard lock(changes_);
  std::vector<Ban> out;
  for (auto at = order_.rbegin(); at != order_.rend() && at->first > now && out.size() < max; ++at) {
    out.push_back(find(bucket_of(at->second), at->second)->ban);
  }
  return out;
}

std::size_t Bans::count(TimePoint now) const {
  const std::lock_guard lock(changes_);
  return static_cast<std::size_t>(
      std::count_if(order_.begin(), order_.end(), [&](const auto& each) { return each.first > now; }));
}

Bans::Record* Bans::find(Bucket& bucket, Key key) {
  const auto at = std::find_if(bucket.records.begin(), bucket.records.end(),
                               [&](const Record& each) { return each.ban.key == key; });
  return at != bucket.records.end() ? &*at : nullptr;
}

void Bans::put(Record record, TimePoint now) {
  const Key key = record.ban.key;
  const std::int64_t until = ban_time(record.ban.until);
  Bucket& bucket = bucket_of(key);
  Record* known = find(bucket, key);
  if (known != nullptr) {
    order_.erase({known->ban.until, key});
  } else {
    make_room(now);
  }
  order_.emplace(record.ban.until, key);
  {
    const std::lock_guard lock(bucket.lock);
    if (known != nullptr) {
      *known = std::move(record);
    } else {
      bucket.records.push_back(std::move(record));
    }
    set_latest(bucket);
  }
  latest_.store(std::max(latest_.load(std::memory_order_relaxed), until), std::memory_order_release);
}

bool Bans::erase(Key key) {
  Bucket& bucket = bucket_of(key);
  Record* record = find(bucket, key);
  if (record == nullptr) return false;
  order_.erase({record->ban.until, key});
  const std::lock_guard lock(bucket.lock);
  std::swap(*record, bucket.records.back());
  bucket.records.pop_back();
  if (bucket.records.empty()) bucket.records.shrink_to_fit();
  set_latest(bucket);
  return true;
}

// For one more, and of what is forgotten anyway.
void Bans::make_room(TimePoint now) {
  while (!order_.empty()) {
    const auto [until, key] = *order_.begin();
    if (order_.size() < capacity_ && find(bucket_of(key), key)->forget > now) return;
    if (until > now) evictions_.fetch_add(1, std::memory_order_relaxed);
    erase(key);
  }
}

void Bans::set_latest(Bucket& bucket) {
  std::int64_t latest = 0;
  for (const Record& each : bucket.records) latest = std::max(latest, ban_time(each.ban.until));
  bucket.latest.store(latest, std::memory_order_release);
}

void Bans::set_latest() {
  latest_.store(order_.empty() ? 0 : ban_time(order_.rbegin()->first), std::memory_order_release);
}

}  // namespace rproxy::limit
