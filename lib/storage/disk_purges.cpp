#include "storage/disk_purges.h"

#include <xxhash.h>

#include <algorithm>
#include <limits>

#include "cache/little_endian.h"

namespace rproxy::storage {
namespace {

constexpr std::size_t kRecordHead = 12;  // size, checksum
constexpr std::size_t kRecordFixed = 9;  // time, kind and flags
constexpr std::size_t kFileMax = 256 << 20;
constexpr std::size_t kBloat = 256 << 10;
constexpr std::uint8_t kSoft = 0x40;
constexpr std::uint8_t kIsKey = 0x80;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

std::string record_of(const DiskPurge& purge) {
  std::string payload;
  cache::append_number(payload, static_cast<std::uint64_t>(purge.at_ms));
  cache::append_number(payload,
                       static_cast<std::uint8_t>(static_cast<std::uint8_t>(purge.purge.kind) |
                                                 (purge.purge.is_soft ? kSoft : 0) | (purge.is_key ? kIsKey : 0)));
  payload += purge.purge.what;
  std::string record;
  cache::append_number(record, static_cast<std::uint32_t>(payload.size()));
  cache::append_number(record, std::uint64_t{XXH3_64bits(payload.data(), payload.size())});
  return record + payload;
}

// Taken from the beginning of `bytes`. Nothing where there is no whole one.
std::optional<DiskPurge> take_record(std::string_view& bytes) {
  if (bytes.size() < kRecordHead) return std::nullopt;
  const std::size_t size = cache::read_number<std::uint32_t>(bytes.data());
  if (size < kRecordFixed || size > DiskPurges::kWhatMax + kRecordFixed || size > bytes.size() - kRecordHead)
    return std::nullopt;
  const std::string_view payload = bytes.substr(kRecordHead, size);
  const bool is_whole =
      cache::read_number<std::uint64_t>(bytes.data() + 4) == XXH3_64bits(payload.data(), payload.size());
  const auto bits = static_cast<std::uint8_t>(payload[8]);
  const auto kind = static_cast<std::uint8_t>(bits & ~(kSoft | kIsKey));
  if (!is_whole || kind > static_cast<std::uint8_t>(Purge::Kind::kAll)) return std::nullopt;
  bytes.remove_prefix(kRecordHead + size);
  DiskPurge purge;
  purge.at_ms = static_cast<std::int64_t>(cache::read_number<std::uint64_t>(payload.data()));
  purge.purge = {static_cast<Purge::Kind>(kind), std::string(payload.substr(kRecordFixed)), (bits & kSoft) != 0};
  purge.is_key = (bits & kIsKey) != 0;
  return purge;
}

// `is_whole`: there was nothing else in it.
std::vector<DiskPurge> read_records(std::string_view bytes, bool& is_whole) {
  std::vector<DiskPurge> purges;
  while (auto purge = take_record(bytes)) purges.push_back(std::move(*purge));
  is_whole = bytes.empty();
  return purges;
}

Purged kind_of(const DiskPurge& purge) { return purge.purge.is_soft ? Purged::kStale : Purged::kGone; }

}  // namespace

DiskPurges::Watch::Watch(DiskPurges& purges, const Meta& meta) : purges_(purges), meta_(meta) {
  const std::lock_guard lock(purges_.mutex_);
  purged_ = purges_.of_locked(meta_);
  at_ = purges_.watches_.insert(purges_.watches_.end(), this);
}

DiskPurges::Watch::~Watch() {
  const std::lock_guard lock(purges_.mutex_);
  purges_.watches_.erase(at_);
}

Result<void> DiskPurges::load() {
  const std::lock_guard file_lock(file_mutex_);
  auto file = system_.open_to_append(layout_.purges());
  if (!file) return fail(file.error());
  auto bytes = system_.read(*file, 0, std::min<std::uint64_t>(DiskSystem::size_of(*file).value_or(0), kFileMax));
  if (!bytes) return fail(bytes.error());
  bool is_whole = true;
  auto purges = read_records(*bytes, is_whole);
  file_ = std::move(*file);
  file_size_ = bytes->size();
  is_torn_ = !is_whole;
  const std::lock_guard lock(mutex_);
  for (DiskPurge& purge : purges) add_locked(std::move(purge));
  return {};
}

std::vector<DiskPurge> DiskPurges::read(const DiskSystem& system, const DiskLayout& layout) {
  const auto file = system.open_to_read(layout.purges());
  if (!file) return {};
  const auto size = std::min<std::uint64_t>(DiskSystem::size_of(*file).value_or(0), kFileMax);
  const auto bytes = system.read(*file, 0, size);
  bool is_whole = true;
  return bytes ? read_records(*bytes, is_whole) : std::vector<DiskPurge>();
}

DiskPurges::Added DiskPurges::add(DiskPurge purge) {
  const std::lock_guard lock(mutex_);
  Added added{number_, false};
  if (purge.purge.what.size() > kWhatMax) return added;
  for (Watch* watch : watches_) {
    if (!purge.matches(watch->meta_)) continue;
    watch->purged_ = std::max(watch->purged_.load(), kind_of(purge));
    added.met_writing = true;
  }
  add_locked(std::move(purge));
  added.number = number_;
  return added;
}

void DiskPurges::add_locked(DiskPurge purge) {
  ++number_;
  newest_ms_ = std::max(newest_ms_.load(), purge.at_ms);
  if (purge.is_key) {
    OfKey& key = keys_[purge.purge.what];
    auto& at = purge.purge.is_soft ? key.stale_ms : key.gone_ms;
    at = std::max(at.value_or(kNever), purge.at_ms);
    key.number = number_;
  } else {
    list_.push_back({number_, std::move(purge)});
  }
  if (list_.size() > kMost || keys_.size() > kKeysMost) collapse_locked(newest_ms_);
}

void DiskPurges::collapse_locked(std::int64_t at_ms) {
  list_.clear();
  keys_.clear();
  list_.push_back({number_, {at_ms, {Purge::Kind::kAll, {}, false}, false}});
  for (Watch* watch : watches_) {
    if (watch->meta_.requested_ms <= at_ms) watch->purged_ = Purged::kGone;
  }
}

// What could not be appended whole is in the way of what would follow: all is written anew then.
Result<void> DiskPurges::persist(const std::vector<DiskPurge>& purges) {
  {
    const std::lock_guard file_lock(file_mutex_);
    if (file_ && !is_torn_) {
      std::string records;
      for (const DiskPurge& each : purges) {
        if (each.purge.what.size() <= kWhatMax) records += record_of(each);
      }
      auto written = system_.append(file_, records);
      if (written) written = system_.sync(file_);
      if (written) {
        file_size_ += records.size();
        return {};
      }
      is_torn_ = true;
    }
  }
  return compact(Last::kYes);
}

Purged DiskPurges::of(const Meta& meta) const {
  if (meta.requested_ms > newest_ms_.load()) return Purged::kNo;
  const std::lock_guard lock(mutex_);
  return of_locked(meta);
}

Purged DiskPurges::of_locked(const Meta& meta) const {
  Purged purged = Purged::kNo;
  if (const auto found = keys_.find(meta.key); found != keys_.end()) {
    if (found->second.gone_ms.value_or(kNever) >= meta.requested_ms) return Purged::kGone;
    if (found->second.stale_ms.value_or(kNever) >= meta.requested_ms) purged = Purged::kStale;
  }
  for (const Numbered& each : list_) {
    if (kind_of(each.purge) > purged && each.purge.matches(meta)) purged = kind_of(each.purge);
  }
  return purged;
}

bool DiskPurges::is_empty() const {
  const std::lock_guard lock(mutex_);
  return list_.empty() && keys_.empty();
}

std::uint64_t DiskPurges::newest() const {
  const std::lock_guard lock(mutex_);
  return number_;
}

void DiskPurges::settle_key(const std::string& key, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  settlings_.fetch_add(1, std::memory_order_release);
  const auto found = keys_.find(key);
  if (found != keys_.end() && found->second.number <= number) keys_.erase(found);
}

void DiskPurges::settle(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  settlings_.fetch_add(1, std::memory_order_release);
  std::erase_if(list_, [number](const Numbered& each) { return each.number <= number; });
  std::erase_if(keys_, [number](const auto& each) { return each.second.number <= number; });
}

std::string DiskPurges::records_locked() const {
  std::string records;
  for (const Numbered& each : list_) records += record_of(each.purge);
  for (const auto& [key, of] : keys_) {
    if (of.gone_ms) records += record_of({*of.gone_ms, {Purge::Kind::kUrl, key, false}, true});
    if (of.stale_ms) records += record_of({*of.stale_ms, {Purge::Kind::kUrl, key, true}, true});
  }
  return records;
}

Result<void> DiskPurges::compact(Last last) {
  const std::lock_guard file_lock(file_mutex_);
  std::string records;
  {
    const std::lock_guard lock(mutex_);
    records = records_locked();
  }
  const std::string draft = layout_.drafts() + "/purges";
  if (auto removed = system_.remove(draft); !removed) return fail(removed.error());
  if (auto made = system_.create(draft); !made) return fail(made.error());
  auto file = system_.open_to_append(draft);
  if (!file) return fail(file.error());
  if (auto written = system_.append(*file, records); !written) return written;
  // With it goes to the disk what was done about those that are left out.
  if (auto synced = system_.sync_all(*file); !synced) return synced;
  if (auto renamed = system_.rename(draft, layout_.purges()); !renamed) return renamed;
  is_torn_ = true;  // until its name is as safe as what is in it
  if (last == Last::kYes) {
    if (auto synced = system_.sync_all(*file); !synced) return synced;
  }
  file_ = std::move(*file);
  file_size_ = records.size();
  is_torn_ = false;
  return {};
}

bool DiskPurges::is_bloated() const {
  if (file_size_ < kBloat) return false;
  const std::lock_guard lock(mutex_);
  return list_.size() + keys_.size() < kMost;
}

}  // namespace rproxy::storage
