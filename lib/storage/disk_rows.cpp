#include "storage/disk_rows.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "storage/disk_purges.h"
#include "storage/disk_shelf.h"
#include "storage/disk_walk.h"

namespace rproxy::storage {
namespace {

tl::unexpected<Error> no_file(int number, const std::string& path) {
  return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, number, path));
}

// The names of its first level.
Result<std::vector<std::string>> first_level(const DiskSystem& system, const DiskLayout& layout) {
  struct stat status {};
  const int number = ::stat(layout.path().c_str(), &status) != 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
  if (number != 0) return no_file(number, layout.path());
  auto names = system.list(layout.path());
  if (!names) return no_file(names.error().os_error, layout.path());
  const bool is_store =
      std::ranges::find(*names, "lock") != names->end() || std::ranges::any_of(*names, is_directory_name);
  if (!is_store) return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, layout.path());
  std::erase_if(*names, [](const std::string& name) { return !is_directory_name(name); });
  return names;
}

Result<bool> remove_same(const DiskSystem& system, const Fd& file, const std::string& path) {
  return DiskSystem::is_at(file, path) ? system.remove(path) : Result<bool>(false);
}

class Visit {
 public:
  Visit(const DiskSystem& system, const DiskLayout& layout, const DiskVisitor& visitor)
      : system_(system), layout_(layout), visitor_(visitor), purges_(DiskPurges::read(system, layout)) {}

  // False: that was enough.
  bool look_at(const DiskName& name) const {
    const std::string path = layout_.file(name);
    auto file = system_.open_to_read(path);
    if (!file) {
      if (file.error().os_error != ENOENT) tell(path, file.error(), nullptr);
      return true;
    }
    auto head = read_head(system_, *file);
    if (head && DiskName::of(head->meta) != name) head = fail(ErrorCode::kBadFraming, Side::kLocal);
    if (!head) {
      tell(path, head.error(), &*file);
      return true;
    }
    return show(name, path, *head, std::move(*file));
  }

 private:
  void tell(const std::string& path, const Error& error, const Fd* file) const {
    if (!visitor_.oddity) return;
    const auto remove = [&] { return file != nullptr ? remove_same(system_, *file, path) : Result<bool>(false); };
    visitor_.oddity({path, error, remove});
  }

  bool show(const DiskName& name, const std::string& path, const DiskHead& head, Fd file) const {
    const auto content = std::make_shared<DiskContent>(name, std::move(file), head.header, false);
    DiskRow row{name, path, head, head.header.is_stale, false, system_, content};
    for (const DiskPurge& purge : purges_) {
      if (purge.matches(head.meta)) (purge.purge.is_soft ? row.is_stale : row.is_purged) = true;
    }
    return visitor_.row(row);
  }

  const DiskSystem& system_;
  const DiskLayout& layout_;
  const DiskVisitor& visitor_;
  const std::vector<DiskPurge> purges_;
};

// A walk goes through one of the first level after the other.
class Steps {
 public:
  Steps(const DiskVisitor& visitor, std::size_t all) : visitor_(visitor), all_(all) {}
  void at(const DiskName& name) {
    const auto first = static_cast<int>(name.digest.high >> 56);
    if (std::exchange(last_, first) == first) return;
    if (visitor_.progress) visitor_.progress(std::min(done_, all_), all_);
    ++done_;
  }

 private:
  const DiskVisitor& visitor_;
  const std::size_t all_;
  std::size_t done_ = 0;
  int last_ = -1;
};

}  // namespace

std::uint64_t DiskRow::size_on_disk() const { return (head.header.file_size() + 4095) / 4096 * 4096; }

Result<void> DiskRow::verify() const { return verify_content(system, content->file(), head.header); }

Result<std::string> DiskRow::read(std::uint64_t position, std::size_t size) const {
  return content->read(system, position, size);
}

Result<bool> DiskRow::remove() const { return remove_same(system, content->file(), path); }

Result<bool> visit_disk(const std::string& path, const DiskVisitor& visitor) {
  const DiskSystem system;
  const DiskLayout layout(path);
  const auto names = first_level(system, layout);
  if (!names) return fail(names.error());
  const Visit visit(system, layout, visitor);
  Steps steps(visitor, names->size());
  DiskWalk walk(system, layout);
  while (const auto name = walk.next()) {
    steps.at(*name);
    if (!visit.look_at(*name)) break;
  }
  return walk.is_whole();
}

Result<bool> visit_disk(const std::string& path, const Digest& digest, const DiskVisitor& visitor) {
  const DiskSystem system;
  const DiskLayout layout(path);
  if (const auto names = first_level(system, layout); !names) return fail(names.error());
  const Visit visit(system, layout, visitor);
  const auto texts = system.list(layout.directory(digest));
  if (!texts) return fail(texts.error());
  for (const std::string& text : *texts) {
    const auto name = DiskName::parse(text);
    if (name && name->digest == digest && !visit.look_at(*name)) break;
  }
  return true;
}

Result<void> for_each_on_disk(const std::string& path, const std::function<void(const DiskRow&)>& visit) {
  const auto visited = visit_disk(path, {[&](const DiskRow& row) {
                                    visit(row);
                                    return true;
                                  }});
  if (!visited) return fail(visited.error());
  return {};
}

// As a store does it that is opened: what is asked for is on the disk before the first file goes, so that whatever interrupts this it is
// gone through to the end by who opens the store next.
Result<DiskPurgeCount> purge_disk(const std::string& path, const std::vector<Purge>& purges, std::int64_t now_ms,
                                  const std::function<void(std::size_t done, std::size_t all)>& progress) {
  constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();
  DiskShelf shelf(path, {kNoLimit, kNoLimit}, {});
  const auto names = first_level(shelf.system, shelf.layout);
  if (!names) return fail(names.error());
  if (auto opened = shelf.open(); !opened) return fail(opened.error());
  std::vector<DiskPurge> list;
  for (const Purge& purge : purges) {
    list.push_back({now_ms, purge, false});
    shelf.purges.add(list.back());
  }
  if (auto persisted = shelf.purges.persist(list); !persisted) return fail(persisted.error());
  DiskPurgeCount count;
  bool is_whole = true;
  const auto matches = [&](const Meta& meta) {
    return std::ranges::any_of(list, [&](const DiskPurge& purge) { return purge.matches(meta); });
  };
  const auto visited = visit_disk(path, {[&](const DiskRow& row) {
                                           if (matches(row.head.meta)) {
                                             ++count.files;
                                             count.bytes += row.size_on_disk();
                                           }
                                           is_whole = shelf.examine(row.name) && is_whole;
                                           return true;
                                         },
                                         [&](const DiskOddity& oddity) {
                                           if (!is_damage(oddity.error)) is_whole = false;
                                         },
                                         progress});
  if (!visited) return fail(visited.error());
  if (!is_whole || !*visited) return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, EIO, path));
  shelf.purges.settle(shelf.purges.newest());
  if (auto written = shelf.purges.compact(); !written) return fail(written.error());
  return count;
}

}  // namespace rproxy::storage
