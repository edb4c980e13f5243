// A store on a real directory, asked as if it were synchronous.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "storage/disk_rows.h"
#include "storage/disk_store.h"
#include "support/temporary_directory.h"
#include "unit/cache/heads.h"
#include "unit/cache/stored.h"

namespace rproxy::storage {

using namespace cache;

namespace fs = std::filesystem;

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Of answers, in no order.
inline std::vector<std::string> files_of(const std::string& path) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && DiskName::parse(entry.path().filename().string())) files.push_back(entry.path());
  }
  return files;
}

inline std::size_t drafts_of(const std::string& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path + "/tmp"), fs::directory_iterator()));
}

// An answer of `key`, asked for and received at `at_ms`, fresh for a day.
inline Meta stored_meta(const std::string& key, std::int64_t at_ms = 1000, std::vector<std::string> tags = {}) {
  Meta meta;
  meta.key = key;
  meta.fields = {{"Content-Type", "text/plain"}};
  meta.requested_ms = at_ms;
  meta.received_ms = at_ms;
  meta.freshness = {Freshness::Source::kMaxAge, 86'400};
  meta.tags = std::move(tags);
  return meta;
}

inline std::string random_text(std::size_t size) {
  std::mt19937_64 random(size);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

class DiskHouse {
 public:
  explicit DiskHouse(DiskOptions changes = {}, DiskHooks hooks = {})
      : options_(std::move(changes)), hooks_(std::move(hooks)) {
    if (options_.path.empty()) options_.path = directory_.path("cache");
    options_.threads = 2;
    reopen();
  }

  const std::string& path() const { return options_.path; }
  DiskStore& store() { return *store_; }
  void close() { store_.reset(); }
  void reopen() {
    close();
    auto opened = DiskStore::open(options_, hooks_);
    ASSERT_TRUE(opened) << describe(opened.error());
    store_ = std::move(*opened);
  }

  // Each waits on the store's threads, behind all that they have to do; so many in a row have gone through a small scan.
  void finish_scan() {
    while (!store_->counts().scan_done) has("no such key");
  }

  bool put(const Meta& meta, std::string_view content) {
    const auto writing = store_->begin(meta);
    if (writing == nullptr || (!content.empty() && !writing->append(std::string(content)))) return false;
    return commit(*writing);
  }
  static bool commit(DiskWriting& writing) {
    std::promise<bool> stored;
    writing.commit([&](bool is_stored) { stored.set_value(is_stored); });
    return stored.get_future().get();
  }

  std::optional<DiskFound> find(
      const std::string& key, DiskStore::Fits fits = [](const Meta&) { return true; }) {
    std::promise<std::optional<DiskFound>> found;
    store_->find(Digest::of(key), key, std::move(fits), 0, [&](auto each) { found.set_value(std::move(each)); });
    return found.get_future().get();
  }
  bool has(const std::string& key) { return find(key).has_value(); }

  Result<std::string> read(const std::shared_ptr<DiskContent>& content, std::uint64_t position, std::size_t size) {
    std::promise<Result<std::string>> bytes;
    store_->read(content, position, size, [&](auto each) { bytes.set_value(std::move(each)); });
    return bytes.get_future().get();
  }
  // What it is answered with; "-" where it is not there, "!" where it can't be read.
  std::string content(const std::string& key) {
    const auto found = find(key);
    if (!found) return "-";
    return read(found->content, 0, found->content->size()).value_or("!");
  }

  Result<void> purge(const Purge& purge, std::int64_t now_ms) {
    std::promise<Result<void>> told;
    store_->purge(purge, now_ms, [&](auto result) { told.set_value(std::move(result)); });
    return told.get_future().get();
  }
  Result<void> purge_key(const std::string& key, bool is_soft, std::int64_t now_ms) {
    std::promise<Result<void>> told;
    store_->purge_key(key, is_soft, now_ms, [&](auto result) { told.set_value(std::move(result)); });
    return told.get_future().get();
  }
  bool update(const Meta& old, const Meta& meta) {
    std::promise<bool> told;
    store_->update(old, meta, [&](bool is_updated) { told.set_value(is_updated); });
    return told.get_future().get();
  }
  DiskVerified verify() {
    std::promise<DiskVerified> told;
    store_->verify([&](DiskVerified verified) { told.set_value(verified); });
    return told.get_future().get();
  }

 private:
  test::TemporaryDirectory directory_;
  DiskOptions options_;
  DiskHooks hooks_;
  std::unique_ptr<DiskStore> store_;
};

}  // namespace rproxy::storage
