// The answers that are on the disk. What waits for the disk is done on threads of its own, which call back; a store that fails costs what it holds,
// never an answer. Opening it doesn't wait for anything: what is there is found at once, and counted in the background.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/disk_threads.h"
#include "base/units.h"
#include "cache/file_content.h"
#include "storage/disk_shelf.h"
#include "storage/disk_upkeep.h"
#include "storage/disk_writing.h"

namespace rproxy::storage {

struct DiskOptions {
  std::string path;
  ByteSize bytes_max{std::uint64_t{10} << 30};  // of whole blocks of 4 KiB
  std::uint64_t files_max = 1'000'000;
  ByteSize object_max = 1024_MiB;
  std::size_t threads = 4;
  std::size_t waiting_max = 4096;  // look-ups, reads and writes that wait for a thread
  ByteSize queued_max = 64_MiB;    // of answers that are being written; one alone may have a quarter of it
  std::size_t writings_max = 256;  // answers that are being written, each with an open file
  bool operator==(const DiskOptions&) const = default;
};

// Any thread. It outlives what it has begun; what was found may outlive it. Callbacks must not wait.
class DiskStore {
 public:
  using Fits = DiskShelf::Fits;
  using OnFound = std::function<void(std::optional<DiskFound>)>;
  using OnRead = std::function<void(Result<std::string>)>;

  // Errors name the path: it can't be made or written to, or another process has it.
  static Result<std::unique_ptr<DiskStore>> open(const DiskOptions& options, DiskHooks hooks = {});
  // Of what the options say the room there is, and how large an answer may be; what is too much now goes with the next ones.
  void set_limits(const DiskOptions& options);
  DiskShelf::Limits limits() const { return shelf_.limits(); }
  DiskStore(const DiskStore&) = delete;
  DiskStore& operator=(const DiskStore&) = delete;
  ~DiskStore();

  // False: it is not there. Takes no time.
  bool may_have(const Digest& digest) const;
  // The newest of that key that fits. Both callbacks are called on a thread of the store; where the disk need not be asked, or there are too many
  // who ask it, `done` before this returns.
  void find(const Digest& digest, std::string key, Fits fits, std::uint64_t load_max, OnFound done);
  // At most `size` bytes, and no more than kReadMax; nothing at the end. See DiskContent::read().
  static constexpr std::size_t kReadMax = cache::FileContent::kReadMax;
  void read(std::shared_ptr<DiskContent> content, std::uint64_t position, std::size_t size, OnRead done);

  // The same as others see it.
  std::shared_ptr<cache::FileContent> file_of(std::shared_ptr<DiskContent> content);

  // Takes the place of what has the same key and variant, once it is committed. Null: not now, or not this one.
  std::shared_ptr<DiskWriting> begin(Meta meta, DiskWriting::OnWritten on_written = {});
  // The same content by other terms, after a 304. Nothing comes of it where there is another by now.
  void update(Meta old, Meta meta, std::function<void(bool)> done = {});
  void remove(const Meta& meta);
  // Of files, header and all.
  std::uint64_t object_max() const { return queue_.object_max; }
  // Answers of that key, as far as they are known.
  std::size_t count(const Digest& digest) const { return shelf_.index.find(digest).size(); }
  const std::string& path() const { return shelf_.layout.path(); }

  // In force when it returns; `done` is told when it will be so after a restart, too. Of what was asked for until `now_ms`.
  void purge(const Purge& purge, std::int64_t now_ms, DiskUpkeep::Done done = {});
  // The same of one key, without looking at all.
  void purge_key(const std::string& key, bool is_soft, std::int64_t now_ms, DiskUpkeep::Done done = {});
  // All contents against their checksums; damaged files are removed.
  void verify(std::function<void(DiskVerified)> done);

  void add_listener(DiskListener& listener) { shelf_.add_listener(listener); }
  void remove_listener(DiskListener& listener) { shelf_.remove_listener(listener); }

  const DiskCounts& counts() const;
  std::size_t index_cost() const { return shelf_.index.cost(); }

 private:
  DiskStore(const DiskOptions& options, DiskHooks hooks);

  mutable DiskShelf shelf_;
  DiskQueue queue_;
  std::unique_ptr<DiskThreads> threads_;
  std::unique_ptr<DiskUpkeep> upkeep_;
};

}  // namespace rproxy::storage
