#include "server/on_demand.h"

#include <algorithm>
#include <utility>

#include "base/address.h"

namespace rproxy::server {
namespace {

// Names that are decided about, or made, at once, handshakes that wait, and refusals that are remembered.
constexpr std::size_t kAskedMax = 100;
constexpr std::size_t kWaitersMax = 1000;
constexpr std::size_t kRefusedMax = 10'000;

void tell_all(const std::vector<std::function<void(bool)>>& tellers, bool is_shown) {
  for (const auto& tell : tellers) tell(is_shown);
}

}  // namespace

bool OnDemand::is_of_hosts(std::string_view name) const {
  return options_.hosts.empty() || std::ranges::any_of(options_.hosts, [name](const std::string& host) {
           return host == name || (host.starts_with("*.") && name.ends_with(std::string_view(host).substr(1)));
         });
}

// One label is no name of the public's (CA/Browser Forum, Baseline Requirements 7.1.4.2.1), and an address no server name (RFC 6066 3).
bool OnDemand::may_come(std::string_view name) const {
  if (name.find('.') == std::string_view::npos || IpAddress::parse(name) || !is_of_hosts(name)) return false;
  const std::lock_guard lock(mutex_);
  const auto refused = refused_.find(name);
  return !is_closed_ && (refused == refused_.end() || refused->second < Clock::now());
}

bool OnDemand::has_room(const std::string& name) const {
  std::size_t waiters = 0;
  for (const auto& [each, asked] : asked_) waiters += asked.waiters.size();
  return !is_closed_ && waiters < kWaitersMax && (asked_.size() < kAskedMax || asked_.contains(name));
}

void OnDemand::have_made(const std::string& name, std::function<void(bool)> told) {
  std::function<void(bool)> on_asked;
  {
    const std::lock_guard lock(mutex_);
    if (has_room(name)) {
      if (!asked_.contains(name)) on_asked = std::exchange(on_asked_, nullptr);
      asked_[name].waiters.push_back({std::exchange(told, nullptr), Clock::now() + options_.wait});
    }
  }
  if (told) told(false);
  if (on_asked) on_asked(true);
}

std::vector<std::string> OnDemand::names() const {
  const std::lock_guard lock(mutex_);
  return {names_.begin(), names_.end()};
}

void OnDemand::admit(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (const auto& name : names) {
    if (names_.size() < options_.names_max && is_of_hosts(name)) names_.insert(name);
  }
}

std::vector<std::string> OnDemand::take_asked() {
  std::vector<std::string> taken;
  const std::lock_guard lock(mutex_);
  for (auto& [name, asked] : asked_) {
    if (!std::exchange(asked.is_taken, true)) taken.push_back(name);
  }
  return taken;
}

void OnDemand::ask_again() {
  const std::lock_guard lock(mutex_);
  for (auto& [name, asked] : asked_) asked.is_taken = false;
}

void OnDemand::tell_of_next(std::function<void(bool)> told) {
  {
    const std::lock_guard lock(mutex_);
    if (std::ranges::all_of(asked_, [](const auto& each) { return each.second.is_taken; })) {
      on_asked_ = std::move(told);
      return;
    }
  }
  told(true);
}

bool OnDemand::add(const std::string& name, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (names_.contains(name)) return true;
  while (!tried_.empty() && now - tried_.front() >= std::chrono::hours{1}) tried_.pop_front();
  if (names_.size() >= options_.names_max || tried_.size() >= options_.per_hour) return false;
  tried_.push_back(now);
  names_.insert(name);
  return true;
}

void OnDemand::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  names_.erase(name);
}

OnDemand::Tellers OnDemand::take_waiters(const std::string& name) {
  Tellers tellers;
  if (auto asked = asked_.extract(name)) {
    for (Waiter& waiter : asked.mapped().waiters) tellers.push_back(std::move(waiter.told));
  }
  return tellers;
}

void OnDemand::settle_shown(const std::string& name) {
  Tellers tellers;
  {
    const std::lock_guard lock(mutex_);
    tellers = take_waiters(name);
  }
  tell_all(tellers, true);
}

void OnDemand::settle_refused(const std::string& name, Duration refused_for) {
  Tellers tellers;
  {
    const std::lock_guard lock(mutex_);
    tellers = take_waiters(name);
    const TimePoint now = Clock::now();
    if (refused_.size() >= kRefusedMax) std::erase_if(refused_, [now](const auto& each) { return each.second < now; });
    if (refused_.size() < kRefusedMax) refused_[name] = now + refused_for;
  }
  tell_all(tellers, false);
}

void OnDemand::expire(TimePoint now) {
  Tellers tellers;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, asked] : asked_) {
      std::erase_if(asked.waiters, [&](Waiter& waiter) {
        if (waiter.until > now) return false;
        tellers.push_back(std::move(waiter.told));
        return true;
      });
    }
    // What nobody waits for any more and nobody has begun with.
    std::erase_if(asked_, [](const auto& each) { return each.second.waiters.empty() && !each.second.is_taken; });
  }
  tell_all(tellers, false);
}

void OnDemand::close() {
  Tellers tellers;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    for (auto& [name, asked] : asked_) {
      for (Waiter& waiter : asked.waiters) tellers.push_back(std::move(waiter.told));
    }
    asked_.clear();
  }
  tell_all(tellers, false);
}

}  // namespace rproxy::server
