#include "storage/flight.h"

#include <utility>

namespace rproxy::storage {

void Flight::settle(Outcome outcome, EntryPtr entry, std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  if (outcome_ != Outcome::kPending) return;
  outcome_ = outcome;
  entry_ = std::move(entry);
  error_ = std::move(error);
  if (entry_ != nullptr) entry_->content()->hold(listeners_.size());
  for (Listener* listener : std::exchange(listeners_, {})) listener->on_settled();
}

Flight::Outcome Flight::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

EntryPtr Flight::entry() const {
  const std::lock_guard lock(mutex_);
  return entry_;
}

Error Flight::error() const {
  const std::lock_guard lock(mutex_);
  return error_.value_or(Error());
}

bool Flight::listen(Listener& listener) {
  const std::lock_guard lock(mutex_);
  if (outcome_ != Outcome::kPending) return false;
  listeners_.push_back(&listener);
  return true;
}

bool Flight::forget(Listener& listener) {
  const std::lock_guard lock(mutex_);
  return std::erase(listeners_, &listener) != 0;
}

std::size_t Flight::listeners() const {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

}  // namespace rproxy::storage
