// Who stands on something that is to go when nobody does any more: requests on the handlers of a configuration that another has replaced.
// Of one thread, and so without atomics.
#pragma once

#include <cstddef>
#include <utility>

#include "exchange/exchange.h"

namespace rproxy::downstream {

class Users {
 public:
  Users() = default;
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;

  std::size_t count() const { return count_; }

 private:
  friend class Use;
  std::size_t count_ = 0;
};

// One of them, as long as it lives.
class Use {
 public:
  Use() = default;
  explicit Use(Users& users) : users_(&users) { ++users.count_; }
  Use(const Use& other) : users_(other.users_) {
    if (users_ != nullptr) ++users_->count_;
  }
  Use(Use&& other) noexcept : users_(std::exchange(other.users_, nullptr)) {}
  Use& operator=(Use other) noexcept {
    std::swap(users_, other.users_);
    return *this;
  }
  ~Use() {
    if (users_ != nullptr) --users_->count_;
  }

 private:
  Users* users_ = nullptr;
};

// Who answers a request, and the use of that.
struct Service {
  exchange::Handler* handler = nullptr;
  Use use;
};

}  // namespace rproxy::downstream
