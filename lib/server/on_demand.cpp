#include "server/on_demand.h"

#include <algorithm>
#include <utility>

namespace rproxy::server {
namespace {

// Names that are decided about, or made, at once, handshakes that wait, and refusals that are remembered.
constexpr std::size_t kWaitingMax = 100;
constexpr std::size_t kWaitersMax = 1000;
constexpr std::size_t kRefusedMax = 10'000;
constexpr std::chrono::minutes kRefusedFor{1};

void tell_all(const std::vector<std::function<void(bool)>>& tellers, bool is_shown) {
  for (const auto& tell : tellers) tell(is_shown);
}

}  // namespace

OnDemand::~OnDemand() {
  for (auto& [name, waiters] : waiting_) {
    for (auto& waiter : waiters) waiter.told(false);
  }
}

bool OnDemand::is_of_hosts(std::string_view name) const {
  return options_.hosts.empty() || std::ranges::any_of(options_.hosts, [name](const std::string& host) {
           return host == name || (host.starts_with("*.") && name.ends_with(std::string_view(host).substr(1)));
         });
}

// One label is no name of the public's (CA/Browser Forum, Baseline Requirements 7.1.4.2.1).
bool OnDemand::may_come(std::string_view name) const {
  if (name.find('.') == std::string_view::npos || !is_of_hosts(name)) return false;
  const std::lock_guard lock(mutex_);
  const auto refused = refused_.find(name);
  return refused == refused_.end() || refused->second < Clock::now();
}

void OnDemand::have_made(const std::string& name, std::function<void(bool)> told) {
  std::function<void(bool)> on_asked;
  {
    const std::lock_guard lock(mutex_);
    std::size_t waiters = 0;
    for (const auto& [each, all] : waiting_) waiters += all.size();
    const auto known = waiting_.find(name);
    const bool has_room = waiters < kWaitersMax && (known != waiting_.end() || waiting_.size() < kWaitingMax);
    if (has_room) {
      if (known == waiting_.end()) {
        asked_.push_back(name);
        on_asked = std::exchange(on_asked_, nullptr);
      }
      waiting_[name].push_back({std::move(told), Clock::now() + options_.wait});
      told = nullptr;
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
    if (names_.size() < options_.names_max && name.find('.') != std::string::npos && is_of_hosts(name))
      names_.insert(name);
  }
}

std::vector<std::string> OnDemand::take_asked() {
  const std::lock_guard lock(mutex_);
  return std::exchange(asked_, {});
}

void OnDemand::tell_of_next(std::function<void(bool)> told) {
  {
    const std::lock_guard lock(mutex_);
    if (asked_.empty()) {
      on_asked_ = std::move(told);
      return;
    }
  }
  told(true);
}

bool OnDemand::add(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (names_.size() >= options_.names_max && !names_.contains(name)) return false;
  names_.insert(name);
  return true;
}

void OnDemand::settle(const std::string& name, bool is_shown) {
  Tellers tellers;
  {
    const std::lock_guard lock(mutex_);
    if (auto waiting = waiting_.extract(name)) {
      for (auto& waiter : waiting.mapped()) tellers.push_back(std::move(waiter.told));
    }
    if (!is_shown) {
      if (refused_.size() >= kRefusedMax)
        std::erase_if(refused_, [](const auto& each) { return each.second < Clock::now(); });
      if (refused_.size() < kRefusedMax) refused_[name] = Clock::now() + kRefusedFor;
    }
  }
  tell_all(tellers, is_shown);
}

void OnDemand::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  names_.erase(name);
}

void OnDemand::expire(TimePoint now) {
  Tellers tellers;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [name, waiters] : waiting_) {
      std::erase_if(waiters, [&](Waiter& waiter) {
        if (waiter.until > now) return false;
        tellers.push_back(std::move(waiter.told));
        return true;
      });
    }
  }
  tell_all(tellers, false);
}

}  // namespace rproxy::server
