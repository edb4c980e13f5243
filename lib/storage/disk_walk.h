// All files of a store, one after another, as its directories list them: without the index, and whoever else is at work there. Files that come
// meanwhile may be left out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/disk_layout.h"

namespace rproxy::storage {

class DiskWalk {
 public:
  DiskWalk(const DiskSystem& system, const DiskLayout& layout) : system_(system), layout_(layout) {}

  // Nothing: it is over.
  std::optional<DiskName> next();
  // No directory refused to be read.
  bool is_whole() const { return is_whole_; }

 private:
  std::vector<std::string> list(const std::string& path);
  bool open_next();

  const DiskSystem& system_;
  const DiskLayout& layout_;
  bool has_begun_ = false;
  bool is_whole_ = true;
  std::vector<std::string> upper_;  // what is left of each level; at most 256 but for the files
  std::vector<std::string> lower_;
  std::vector<DiskName> files_;
};

}  // namespace rproxy::storage
