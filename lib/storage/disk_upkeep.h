// What is done in a disk store that nobody waits for: the scan that fills the index, purges brought to the disk and to the files, contents
// verified. Step by step, behind what is asked for.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/disk_threads.h"
#include "storage/disk_shelf.h"
#include "storage/disk_walk.h"

namespace rproxy::storage {

struct DiskVerified {
  std::uint64_t files = 0;
  std::uint64_t damaged = 0;  // and removed
  bool is_whole = false;      // all have been looked at
};

// Any thread.
class DiskUpkeep {
 public:
  using Done = std::function<void(Result<void>)>;

  DiskUpkeep(DiskShelf& shelf, DiskThreads& threads) : shelf_(shelf), threads_(threads) {}

  // Goes through all files. Where it is being done already, once more afterwards if there is reason to.
  void sweep();
  // In force when it returns. Of a key that has no answer here nothing is left behind.
  void purge(DiskPurge purge, Done done);
  void verify(std::function<void(DiskVerified)> done);

 private:
  struct Sweep {
    Sweep(const DiskShelf& shelf) : walk(shelf.system, shelf.layout), number(shelf.purges.newest()) {}
    DiskWalk walk;
    std::uint64_t number;  // of the newest purge it goes through
    bool is_whole = true;
  };
  struct Verifying;
  struct Waiting {
    DiskPurge purge;
    std::uint64_t number = 0;
    Done done;
  };

  void step(const std::shared_ptr<Sweep>& sweep);
  void finish(const Sweep& sweep);
  void verify_step(const std::shared_ptr<Verifying>& verifying);
  // All that have been asked for until now, with one sync.
  void flush();
  bool has_none_of(const std::string& key) const;
  void remove_keys(const std::vector<Waiting>& purges);

  DiskShelf& shelf_;
  DiskThreads& threads_;
  std::mutex mutex_;
  bool is_sweeping_ = false;
  std::vector<Waiting> waiting_;
};

}  // namespace rproxy::storage
