// Files that are asked for again and again are held open, each looked for anew after a second. One per worker and root.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/units.h"
#include "files/resource.h"
#include "files/shared.h"

namespace rproxy::files {

class HeldFiles {
 public:
  // `shared` outlives it.
  explicit HeldFiles(Shared& shared) : shared_(shared) {}
  HeldFiles(const HeldFiles&) = delete;
  HeldFiles& operator=(const HeldFiles&) = delete;
  ~HeldFiles() { clear(); }

  // Null: it isn't held, was looked for too long ago, or has been written to.
  ResourcePtr find(std::string_view name, TimePoint now);
  // Just looked for. Where there is no room the one that was asked for longest ago goes.
  void keep(std::string name, ResourcePtr resource, TimePoint now);
  // Those that nobody has asked for in the last seconds: a file that is gone must not take room for ever.
  void sweep(TimePoint now);
  void clear();
  std::size_t size() const { return entries_.size(); }

  static constexpr std::chrono::seconds kFresh{1};
  static constexpr std::chrono::seconds kIdle{10};
  static constexpr std::size_t kMost = 1024;

 private:
  struct Entry {
    std::string name;
    ResourcePtr resource;
    TimePoint looked;
    TimePoint asked;
  };
  using Entries = std::list<Entry>;

  void remove(Entries::iterator entry);

  Shared& shared_;
  Entries entries_;  // the one asked for last goes first
  std::unordered_map<std::string_view, Entries::iterator> by_name_;
};

}  // namespace rproxy::files
