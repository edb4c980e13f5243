#include "files/held_files.h"

#include <utility>

namespace rproxy::files {

ResourcePtr HeldFiles::find(std::string_view name, TimePoint now) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  const auto entry = found->second;
  if (now - entry->looked >= kFresh || !entry->resource->plain->file()->is_unchanged()) {
    remove(entry);
    return nullptr;
  }
  entry->asked = now;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->resource;
}

void HeldFiles::keep(std::string name, ResourcePtr resource, TimePoint now) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) remove(found->second);
  if (entries_.size() >= kMost) remove(std::prev(entries_.end()));
  while (!shared_.hold(resource->descriptors())) {
    if (entries_.empty()) return;
    remove(std::prev(entries_.end()));
  }
  entries_.push_front({std::move(name), std::move(resource), now, now});
  by_name_.emplace(entries_.front().name, entries_.begin());
}

void HeldFiles::sweep(TimePoint now) {
  while (!entries_.empty() && now - entries_.back().asked >= kIdle) remove(std::prev(entries_.end()));
}

void HeldFiles::clear() {
  while (!entries_.empty()) remove(entries_.begin());
}

void HeldFiles::remove(Entries::iterator entry) {
  shared_.let_go(entry->resource->descriptors());
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

}  // namespace rproxy::files
