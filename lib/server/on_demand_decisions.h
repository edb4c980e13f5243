// What becomes of names that clients ask for: whether they may have a certificate, and that somebody has it made. On the control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "acme/certifier.h"
#include "net/resolver.h"
#include "net/task.h"
#include "net/task_group.h"
#include "server/generation.h"
#include "upstream/fetcher.h"

namespace rproxy::server {

class OnDemandDecisions {
 public:
  // By whom they are made.
  struct Maker {
    std::function<void()> keep_names;  // the names are others
    std::function<const acme::Managed*(const std::string& name)> managed;
    std::function<acme::WallTime()> paused_until;
    std::function<void(const std::string& name, const acme::Certifier::Key& key)> show;
  };
  OnDemandDecisions(net::Loop& loop, Maker maker) : loop_(loop), maker_(std::move(maker)) {}

  void adopt(const std::shared_ptr<const Generation>& generation);
  // What was adopted last has another in its place: nobody is to wait there.
  void leave();
  // From the certifier: an attempt has failed.
  void on_failed(const std::string& name);

 private:
  OnDemand& names() { return *generation_->tls().on_demand(); }
  net::Task<void> serve();
  net::Task<void> expire();
  net::Task<void> recheck();
  net::Task<void> decide(std::string name);
  void give_up(const std::string& name, Duration refused_for);
  // Nothing: there is no telling.
  net::Task<std::optional<bool>> is_allowed(std::string name);

  net::Loop& loop_;
  const Maker maker_;
  std::shared_ptr<const Generation> generation_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<upstream::Fetcher> fetcher_;
  net::TaskGroup deciding_;
  net::Child<void> serving_;
  net::Child<void> expiring_;
  net::Child<void> rechecking_;
};

}  // namespace rproxy::server
