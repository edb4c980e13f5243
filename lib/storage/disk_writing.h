// An answer on its way to the disk. Who brings it never waits: what the disk is too slow for is given up. Gone without commit(), it has
// never been.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/disk_threads.h"
#include "storage/disk_shelf.h"

namespace rproxy::storage {

// Of all answers that are being written.
struct DiskQueue {
  std::size_t bytes_max = 0;
  std::size_t answers_max = 0;
  std::atomic<std::uint64_t> object_max = 0;  // bytes of a file
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> answers{0};
};

// Of one thread at a time; the store outlives it.
class DiskWriting {
 public:
  using Done = std::function<void(bool is_stored)>;
  // So much of the content can be read from the draft; null: no more will. Told on threads of the store, one after the other.
  using OnWritten = std::function<void(std::uint64_t written, std::shared_ptr<DiskContent> draft)>;

  // Null where it can't be begun: it is counted as dropped.
  static std::shared_ptr<DiskWriting> begin(DiskShelf& shelf, DiskThreads& threads, DiskQueue& queue, Meta meta,
                                            OnWritten on_written);
  DiskWriting(const DiskWriting&) = delete;
  DiskWriting& operator=(const DiskWriting&) = delete;
  ~DiskWriting();

  // False: nothing will come of it. Too much is queued, it is too large, or writing has failed.
  bool append(std::string bytes);
  // That was all. `done` is told on a thread of the store, or, where nothing comes of it, on the caller's.
  void commit(Done done = {});

 private:
  class Work;
  explicit DiskWriting(std::shared_ptr<Work> work) : work_(std::move(work)) {}

  std::shared_ptr<Work> work_;
};

}  // namespace rproxy::storage
