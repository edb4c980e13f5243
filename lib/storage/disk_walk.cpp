#include "storage/disk_walk.h"

namespace rproxy::storage {

std::vector<std::string> DiskWalk::list(const std::string& path) {
  auto names = system_.list(path);
  if (names) return std::move(*names);
  is_whole_ = false;
  return {};
}

std::optional<DiskName> DiskWalk::next() {
  while (files_.empty()) {
    if (!open_next()) return std::nullopt;
  }
  const DiskName name = files_.back();
  files_.pop_back();
  return name;
}

bool DiskWalk::open_next() {
  if (!has_begun_) {
    has_begun_ = true;
    for (std::string& name : list(layout_.path())) {
      if (is_directory_name(name)) upper_.push_back(layout_.path() + '/' + name);
    }
  }
  if (lower_.empty()) {
    if (upper_.empty()) return false;
    for (const std::string& name : list(upper_.back())) {
      if (is_directory_name(name)) lower_.push_back(upper_.back() + '/' + name);
    }
    upper_.pop_back();
    return true;
  }
  for (const std::string& text : list(lower_.back())) {
    const auto name = DiskName::parse(text);
    if (name && layout_.directory(name->digest) == lower_.back()) files_.push_back(*name);
  }
  lower_.pop_back();
  return true;
}

}  // namespace rproxy::storage
