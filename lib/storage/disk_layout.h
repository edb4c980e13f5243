// Where a store's files are: path/ab/cd/abcd<28 more digits of the key's digest>.<8 of the variant>, what is being written in path/tmp, purges in
// path/purges, and path/lock, which a process holds as long as it writes there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/disk_system.h"
#include "storage/terms.h"

namespace rproxy::storage {

// What a file is called by. Answers to one URL whose variants meet in one word take each other's place, as one that is fetched anew does.
struct DiskName {
  Digest digest;
  std::uint32_t variant = 0;

  auto operator<=>(const DiskName&) const = default;
  static DiskName of(const Meta& meta);
  std::string text() const;
  static std::optional<DiskName> parse(std::string_view text);
};

class DiskLayout {
 public:
  explicit DiskLayout(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string drafts() const { return path_ + "/tmp"; }
  std::string purges() const { return path_ + "/purges"; }
  std::string lock() const { return path_ + "/lock"; }
  std::string directory(const Digest& digest) const;
  std::string file(const DiskName& name) const;

  // Makes what is missing of it, and keeps other processes out as long as the descriptor is open. The error says who is in the way.
  Result<Fd> take(const DiskSystem& system) const;
  // What writers that were killed have left.
  Result<void> remove_drafts(const DiskSystem& system) const;

 private:
  std::string path_;
};

// "00" to "ff".
bool is_directory_name(std::string_view name);

}  // namespace rproxy::storage
