#include "storage/disk_upkeep.h"

#include <algorithm>
#include <utility>

namespace rproxy::storage {
namespace {

// Files of a step: a few milliseconds where each costs a read of the disk.
constexpr int kStep = 16;

}  // namespace

struct DiskUpkeep::Verifying {
  Verifying(const DiskShelf& shelf, std::function<void(DiskVerified)> told)
      : walk(shelf.system, shelf.layout), done(std::move(told)) {}
  DiskWalk walk;
  DiskVerified verified;
  std::function<void(DiskVerified)> done;
};

void DiskUpkeep::sweep() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_sweeping_, true)) return;
  }
  threads_.post_behind([this, sweep = std::make_shared<Sweep>(shelf_)] { step(sweep); });
}

void DiskUpkeep::step(const std::shared_ptr<Sweep>& sweep) {
  for (int i = 0; i < kStep; ++i) {
    const auto name = sweep->walk.next();
    if (!name) return finish(*sweep);
    sweep->is_whole = shelf_.examine(*name) && sweep->is_whole;
    if (!shelf_.counts.scan_done.load(std::memory_order_relaxed)) {
      shelf_.counts.scanned.fetch_add(1, std::memory_order_relaxed);
    }
  }
  shelf_.make_room(0);
  threads_.post_behind([this, sweep] { step(sweep); });
}

// What could not be looked at may be what a purge was about: it stays in force then.
void DiskUpkeep::finish(const Sweep& sweep) {
  shelf_.make_room(0);
  shelf_.counts.scan_done.store(true, std::memory_order_release);
  const bool is_whole = sweep.is_whole && sweep.walk.is_whole();
  if (is_whole && sweep.number > 0) {
    shelf_.purges.settle(sweep.number);
    if (auto written = shelf_.purges.compact(); !written) shelf_.health.has_failed_to_write(written.error());
  }
  {
    const std::lock_guard lock(mutex_);
    is_sweeping_ = false;
  }
  if (is_whole && shelf_.purges.newest() > sweep.number && !shelf_.purges.is_empty()) this->sweep();
}

void DiskUpkeep::purge(DiskPurge purge, Done done) {
  const auto added = shelf_.purges.add(purge);
  if (purge.is_key && !added.met_writing && has_none_of(purge.purge.what)) {
    shelf_.purges.settle_key(purge.purge.what, added.number);
    if (done) done({});
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(purge), added.number, std::move(done)});
    if (waiting_.size() > 1 || threads_.post_behind([this] { flush(); })) return;
    done = std::move(waiting_.back().done);
    waiting_.clear();
  }
  if (done) done(fail(ErrorCode::kCancelled, Side::kLocal));
}

bool DiskUpkeep::has_none_of(const std::string& key) const {
  return shelf_.counts.scan_done.load(std::memory_order_acquire) && !shelf_.index.contains(Digest::of(key));
}

void DiskUpkeep::flush() {
  std::vector<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  std::vector<DiskPurge> purges;
  for (const Waiting& each : waiting) purges.push_back(each.purge);
  const auto persisted = shelf_.purges.persist(purges);
  if (!persisted) shelf_.health.has_failed_to_write(persisted.error());
  for (const Waiting& each : waiting) {
    if (each.done) each.done(persisted);
  }
  remove_keys(waiting);
  if (std::ranges::any_of(purges, [](const DiskPurge& each) { return !each.is_key; })) return sweep();
  if (!shelf_.purges.is_bloated()) return;
  if (auto written = shelf_.purges.compact(); !written) shelf_.health.has_failed_to_write(written.error());
}

void DiskUpkeep::remove_keys(const std::vector<Waiting>& purges) {
  for (const Waiting& each : purges) {
    if (!each.purge.is_key) continue;
    const std::string& key = each.purge.purge.what;
    if (shelf_.examine_all_of(Digest::of(key))) shelf_.purges.settle_key(key, each.number);
  }
}

void DiskUpkeep::verify(std::function<void(DiskVerified)> done) {
  const auto verifying = std::make_shared<Verifying>(shelf_, std::move(done));
  if (!threads_.post_behind([this, verifying] { verify_step(verifying); })) verifying->done({});
}

void DiskUpkeep::verify_step(const std::shared_ptr<Verifying>& verifying) {
  const auto name = verifying->walk.next();
  DiskVerified& verified = verifying->verified;
  if (name) {
    ++verified.files;
    if (!shelf_.verify(*name)) ++verified.damaged;
    if (threads_.post_behind([this, verifying] { verify_step(verifying); })) return;
  }
  verified.is_whole = !name && verifying->walk.is_whole();
  verifying->done(verified);
}

}  // namespace rproxy::storage
