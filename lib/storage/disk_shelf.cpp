#include "storage/disk_shelf.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "cache/meta_codec.h"

namespace rproxy::storage {
namespace {

// A file takes whole blocks of the disk.
std::uint64_t on_disk(std::uint64_t size) { return (size + 4095) / 4096 * 4096; }

std::uint32_t seconds_of(std::int64_t ms) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms / 1000, 0, std::numeric_limits<std::uint32_t>::max()));
}

DiskIndex::Item item_of(const DiskName& name, const DiskHeader& header, bool is_verified) {
  return {name, on_disk(header.file_size()), seconds_of(header.received_ms), seconds_of(header.useless_ms),
          is_verified};
}

bool is_gone(const Error& error) { return error.os_error == ENOENT; }

}  // namespace

Result<void> DiskShelf::open() {
  auto held = layout.take(system);
  if (!held) return fail(held.error());
  lock_file_ = std::move(*held);
  if (auto removed = layout.remove_drafts(system); !removed) return removed;
  return purges.load();
}

void DiskShelf::set_limits(Limits limits) {
  bytes_max_ = limits.bytes;
  files_max_ = limits.files;
}

// ---- Reading.

// Until all is scanned, what the directory has and the index doesn't comes first: it may be the newest.
Result<std::vector<DiskIndex::Item>> DiskShelf::candidates(const Digest& digest) const {
  auto items = index.find(digest);
  if (counts.scan_done.load(std::memory_order_acquire)) return items;
  const auto texts = system.list(layout.directory(digest));
  if (!texts) return fail(texts.error());
  std::vector<DiskIndex::Item> all;
  for (const std::string& text : *texts) {
    const auto name = DiskName::parse(text);
    if (!name || name->digest != digest || std::ranges::find(items, *name, &DiskIndex::Item::name) != items.end())
      continue;
    DiskIndex::Item item;
    item.name = *name;
    item.received_s = std::numeric_limits<std::uint32_t>::max();
    all.push_back(item);
  }
  all.insert(all.end(), items.begin(), items.end());
  return all;
}

std::optional<DiskFound> DiskShelf::look_into(const DiskIndex::Item& item, const std::string& key) {
  const std::uint64_t settlings = purges.settlings();
  auto file = system.open_to_read(layout.file(item.name));
  if (!file && is_gone(file.error())) {
    const std::lock_guard lock(lock_of(item.name));
    const auto again = system.open_to_read(layout.file(item.name));
    if (!again && is_gone(again.error())) index.erase(item.name);
    return std::nullopt;
  }
  auto head = file ? read_head(system, *file) : Result<DiskHead>(fail(file.error()));
  if (!head && !is_damage(head.error())) {
    health.has_failed_to_read(head.error());
    return std::nullopt;
  }
  if (head && DiskName::of(head->meta) != item.name) head = fail(ErrorCode::kBadFraming, Side::kLocal);
  if (!head) {
    remove_damaged(item.name, *file, head.error());
    return std::nullopt;
  }
  const Purged purged = purges.of(head->meta);
  if (head->meta.key != key || purged == Purged::kGone) return std::nullopt;
  if (purges.settlings() != settlings) return look_into(item, key);
  const bool is_stale = head->header.is_stale || purged == Purged::kStale;
  return DiskFound{std::move(head->meta),
                   is_stale,
                   std::make_shared<DiskContent>(item.name, std::move(*file), head->header, item.is_verified),
                   {}};
}

std::optional<DiskFound> DiskShelf::find(const Digest& digest, const std::string& key, const Fits& fits,
                                         std::uint64_t load_max) {
  const auto items = candidates(digest);
  std::optional<DiskFound> best;
  if (!items) {
    health.has_failed_to_read(items.error());
    return best;
  }
  for (const DiskIndex::Item& item : *items) {
    if (best && item.received_s < seconds_of(best->meta.received_ms)) break;
    auto found = look_into(item, key);
    if (!found || (best && found->meta.received_ms <= best->meta.received_ms) || !fits(found->meta)) continue;
    best = std::move(found);
  }
  if (best && best->content->size() <= load_max) {
    auto bytes = read(*best->content, 0, best->content->size());
    if (bytes) best->loaded = std::move(*bytes);
    if (!bytes) best.reset();
  }
  if (best) index.use(best->content->name());
  (best ? counts.hits : counts.misses).fetch_add(1, std::memory_order_relaxed);
  return best;
}

Result<std::string> DiskShelf::read(DiskContent& content, std::uint64_t position, std::size_t size) {
  const bool was_verified = content.is_verified();
  auto bytes = content.read(system, position, size);
  if (!bytes && is_damage(bytes.error())) remove_damaged(content.name(), content.file(), bytes.error());
  if (!bytes && !is_damage(bytes.error())) health.has_failed_to_read(bytes.error());
  const bool is_news = !was_verified && content.is_verified();
  if (is_news && DiskSystem::is_at(content.file(), layout.file(content.name()))) index.set_verified(content.name());
  return bytes;
}

bool DiskShelf::verify(const DiskName& name) {
  const auto file = system.open_to_read(layout.file(name));
  if (!file) return is_gone(file.error());
  const auto head = read_head(system, *file);
  const auto whole = head ? verify_content(system, *file, head->header) : Result<void>(fail(head.error()));
  if (whole) return true;
  if (!is_damage(whole.error())) {
    health.has_failed_to_read(whole.error());
    return true;
  }
  remove_damaged(name, *file, whole.error());
  return false;
}

// ---- Changing.

bool DiskShelf::place(DiskDraft& draft, const Meta& meta, const DiskPurges::Watch& watch) {
  return place_as(draft, meta, watch, {});
}

bool DiskShelf::place_as(DiskDraft& draft, const Meta& meta, const DiskPurges::Watch& watch, const Replaced& replaced) {
  const DiskName name = DiskName::of(meta);
  const std::string path = layout.file(name);
  if (watch.purged() == Purged::kGone) return false;
  {
    const std::lock_guard lock(lock_of(name));
    if (replaced.file != nullptr && !DiskSystem::is_at(*replaced.file, path)) return false;
    const auto header = draft.place(path);
    if (!header) {
      health.has_failed_to_write(header.error());
      return false;
    }
    index.put(item_of(name, *header, replaced.is_verified));
    // One that came in between has gone through what was there before this was.
    if (watch.purged() != Purged::kNo) examine_locked(name, watch.purged());
  }
  health.has_written();
  limit_variants(name.digest);
  make_room(meta.received_ms);
  return watch.purged() != Purged::kGone;
}

// The content is copied (within the kernel, and not at all where the file system shares blocks): a head that is written over the old one in
// place would be torn for who reads it just then, and a link needs the head in a second file, which is one more open for each hit.
bool DiskShelf::update(const Meta& old, const Meta& meta) {
  const DiskName name = DiskName::of(old);
  auto encoded = cache::encode(meta);
  if (!encoded || DiskName::of(meta) != name || !health.may_write()) return false;
  const DiskPurges::Watch watch(purges, meta);
  if (watch.purged() == Purged::kGone || purges.of(old) == Purged::kGone) return false;
  const auto file = system.open_to_read(layout.file(name));
  const auto head = file ? read_head(system, *file) : Result<DiskHead>(fail(file.error()));
  if (!head || head->meta.key != old.key || head->meta.requested_ms != old.requested_ms ||
      head->meta.received_ms != old.received_ms) {
    return false;
  }
  auto draft = DiskDraft::create(system, layout, meta, std::move(*encoded));
  const auto copied = draft ? draft->copy(*file, head->header) : Result<void>(fail(draft.error()));
  if (!copied) {
    health.has_failed_to_write(copied.error());
    return false;
  }
  const auto items = index.find(name.digest);
  const auto item = std::ranges::find(items, name, &DiskIndex::Item::name);
  return place_as(*draft, meta, watch, {&*file, item != items.end() && item->is_verified});
}

bool DiskShelf::remove(const DiskName& name) {
  const std::lock_guard lock(lock_of(name));
  return remove_locked(name);
}

bool DiskShelf::remove_locked(const DiskName& name) {
  index.erase(name);
  const auto removed = system.remove(layout.file(name));
  tell_removed(name.digest);
  if (!removed) health.has_failed_to_write(removed.error());
  return removed.has_value();
}

void DiskShelf::tell_stored(const Digest& digest) {
  const std::lock_guard lock(listeners_mutex_);
  for (DiskListener* listener : listeners_) listener->on_stored(digest);
}

void DiskShelf::tell_removed(const Digest& digest) {
  const std::lock_guard lock(listeners_mutex_);
  for (DiskListener* listener : listeners_) listener->on_removed(digest);
}

void DiskShelf::add_listener(DiskListener& listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.push_back(&listener);
}

void DiskShelf::remove_listener(DiskListener& listener) {
  const std::lock_guard lock(listeners_mutex_);
  std::erase(listeners_, &listener);
}

void DiskShelf::remove_damaged(const DiskName& name, const Fd& file, const Error& error) {
  const std::lock_guard lock(lock_of(name));
  const std::string path = layout.file(name);
  if (!DiskSystem::is_at(file, path)) return;
  health.has_found_damage(path, error);
  remove_locked(name);
}

bool DiskShelf::examine(const DiskName& name, Purged at_least) {
  const std::lock_guard lock(lock_of(name));
  return examine_locked(name, at_least);
}

// Where there are no purges the header will do.
bool DiskShelf::examine_locked(const DiskName& name, Purged at_least) {
  const std::string path = layout.file(name);
  const auto file = system.open_to_read(path);
  if (!file) {
    if (is_gone(file.error())) index.erase(name);
    return is_gone(file.error());
  }
  Purged purged = at_least;
  auto header = read_header(system, *file);
  if (header && !purges.is_empty()) {
    const auto head = read_head(system, *file);
    if (head) purged = std::max(purged, purges.of(head->meta));
    if (!head) header = fail(head.error());
  }
  if (!header && !is_damage(header.error())) {
    health.has_failed_to_read(header.error());
    return false;
  }
  if (!header) {
    health.has_found_damage(path, header.error());
    return remove_locked(name);
  }
  if (purged == Purged::kGone) {
    counts.purged.fetch_add(1, std::memory_order_relaxed);
    return remove_locked(name);
  }
  index.put_if_new(item_of(name, *header, false));
  if (purged != Purged::kStale || header->is_stale) return true;
  const auto writable = system.open_to_change(path);
  const auto marked = writable ? mark_stale(system, *writable) : Result<void>(fail(writable.error()));
  if (!marked) health.has_failed_to_write(marked.error());
  return marked.has_value();
}

bool DiskShelf::examine_all_of(const Digest& digest) {
  const auto items = candidates(digest);
  if (!items) return false;
  bool is_whole = true;
  for (const DiskIndex::Item& item : *items) is_whole = examine(item.name) && is_whole;
  return is_whole;
}

void DiskShelf::limit_variants(const Digest& digest) {
  const auto items = index.find(digest);
  for (std::size_t i = kVariantsMax; i < items.size(); ++i) remove(items[i].name);
}

void DiskShelf::make_room(std::int64_t now_ms) {
  while (index.count() > files_max_ || index.bytes() > bytes_max_) {
    const auto item = index.evict(seconds_of(now_ms));
    if (!item) return;
    counts.evicted.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock(lock_of(item->name));
    // Unless it has been stored again since.
    if (!index.contains(item->name)) remove_locked(item->name);
  }
}

}  // namespace rproxy::storage
