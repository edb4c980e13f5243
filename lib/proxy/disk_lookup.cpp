#include "proxy/disk_lookup.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/from_thread.h"
#include "proxy/attendance.h"

namespace rproxy::proxy {

using cache::EntryPtr;
using Outcome = storage::Flight::Outcome;

namespace {

// Others may find something else, or leave; beyond that it is asked for elsewhere.
constexpr int kLooksMax = 4;

// What is wanted, for another thread, which may still be at it when the request has gone.
class OwnWanted {
 public:
  explicit OwnWanted(const storage::Wanted& wanted)
      : text_(wanted.key.text), extras_(wanted.key.extras), range_(wanted.range) {
    key_ = {text_, extras_, wanted.key.digest};
    lines_.reserve(wanted.request.size());
    for (const http::Field& field : wanted.request) {
      lines_.emplace_back(field.name, field.value);
      fields_.add(http::Field{lines_.back().first, lines_.back().second, field.id});
    }
  }
  OwnWanted(const OwnWanted&) = delete;
  OwnWanted& operator=(const OwnWanted&) = delete;

  bool is_met_by(const cache::Meta& meta) const { return storage::fits(meta, {key_, fields_, range_}); }

 private:
  const std::string text_;
  const std::string extras_;
  const std::optional<http::RangeSpec> range_;
  cache::Key key_;
  std::vector<std::pair<std::string, std::string>> lines_;
  http::Fields fields_;
};

// The one who looks for all: where it leaves, the next one does.
class Lead {
 public:
  Lead(storage::MemoryStore& memory, storage::FlightPtr flight) : memory_(memory), flight_(std::move(flight)) {}
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;
  ~Lead() {
    if (flight_ != nullptr) settle(Outcome::kAbandoned, nullptr);
  }
  void settle(Outcome outcome, EntryPtr entry) {
    const auto flight = std::exchange(flight_, nullptr);
    memory_.close(*flight);
    flight->settle(outcome, std::move(entry));
  }
  const storage::Flight& flight() const { return *flight_; }

 private:
  storage::MemoryStore& memory_;
  storage::FlightPtr flight_;
};

EntryPtr entry_of(storage::DiskStore& disk, storage::DiskFound found) {
  auto content = found.loaded ? cache::Content::whole(*found.loaded)
                              : cache::Content::in_file(disk.file_of(found.content), found.content->size());
  auto entry = std::make_shared<const cache::Entry>(std::move(found.meta), std::move(content));
  if (found.is_stale) entry->mark_stale();
  return entry;
}

net::Task<EntryPtr> bring(storage::Cache& cache, net::Loop& loop, const storage::Wanted& wanted,
                          storage::FlightPtr flight) {
  Lead lead(cache.memory(), std::move(flight));
  const std::uint64_t purges = cache.purges();
  net::FromThread<std::optional<storage::DiskFound>> answer(loop);
  const auto own = std::make_shared<OwnWanted>(wanted);
  cache.disk()->find(
      wanted.key.digest, std::string(wanted.key.text), [own](const cache::Meta& meta) { return own->is_met_by(meta); },
      cache.memory_object_max(), answer.teller());
  auto found = co_await answer.told();
  EntryPtr entry = found ? entry_of(*cache.disk(), std::move(*found)) : nullptr;
  if (entry != nullptr && !cache.insert(entry, nullptr, lead.flight(), purges)) entry = nullptr;
  lead.settle(entry != nullptr ? Outcome::kEntry : Outcome::kAlone, entry);
  co_return entry;
}

}  // namespace

net::Task<EntryPtr> look_on_disk(storage::Cache& cache, exchange::Request& request, storage::Wanted wanted) {
  wanted.is_on_disk = true;
  for (int round = 0; round < kLooksMax; ++round) {
    auto joined = cache.memory().join(wanted, nullptr);
    if (joined.other != nullptr) co_return joined.other;
    if (joined.leads) co_return co_await bring(cache, *request.loop, wanted, std::move(joined.flight));
    Attendance attendance(*request.loop, *joined.flight, nullptr);
    co_await attendance.wait(request);
    const EntryPtr entry = joined.flight->entry();
    if (entry != nullptr && storage::MemoryStore::fits(*entry, wanted)) co_return entry;
    if (joined.flight->outcome() == Outcome::kAlone) co_return nullptr;
  }
  co_return nullptr;
}

}  // namespace rproxy::proxy
