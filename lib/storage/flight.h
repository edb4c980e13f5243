// One fetch for all who want the same at the same time: who comes first makes it, the others wait for what it brings.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "storage/terms.h"

namespace rproxy::storage {

// Any thread.
class Flight {
 public:
  enum class Outcome : std::uint8_t {
    kPending,
    kEntry,      // an answer for all, whose content may still be coming
    kAlone,      // an answer that can't be shared: each asks for himself
    kFailed,     // no answer
    kAbandoned,  // nobody goes on with it: another may begin anew
  };
  // Told under the flight's lock, on the thread that settles it, once.
  class Listener {
   public:
    virtual void on_settled() = 0;

   protected:
    ~Listener() = default;
  };

  // `variant`: what tells it from other flights of the same digest.
  Flight(Digest digest, std::string variant) : digest_(digest), variant_(std::move(variant)) {}

  const Digest& digest() const { return digest_; }
  const std::string& variant() const { return variant_; }

  // Content is held for each that is told, who releases it.
  void settle(Outcome outcome, EntryPtr entry = nullptr, std::optional<Error> error = std::nullopt);

  // Once it is not pending.
  Outcome outcome() const;
  EntryPtr entry() const;
  Error error() const;

  // Its URL has been purged since it began: what it brings is for those who wait, and not to be stored.
  void outdate() { is_outdated_.store(true, std::memory_order_relaxed); }
  bool is_outdated() const { return is_outdated_.load(std::memory_order_relaxed); }

  // False: it is settled, and nobody will be told.
  bool listen(Listener& listener);
  // False: it had been told.
  bool forget(Listener& listener);
  std::size_t listeners() const;

 private:
  const Digest digest_;
  const std::string variant_;
  std::atomic<bool> is_outdated_{false};
  mutable std::mutex mutex_;
  Outcome outcome_ = Outcome::kPending;
  EntryPtr entry_;
  std::optional<Error> error_;
  std::vector<Listener*> listeners_;
};
using FlightPtr = std::shared_ptr<Flight>;

}  // namespace rproxy::storage
