// Watches the files a configuration was read from, by inotify, and says when they have become others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "config/sources.h"
#include "net/deadline_wheel.h"
#include "server/control.h"

namespace rproxy::server {

class ConfigWatch final : public Control::Resident, private net::Poller::Watcher {
 public:
  // `on_change` is called once for each change, and then not before watch() has told what was read anew.
  ConfigWatch(net::Loop& loop, std::function<void()> on_change);
  ~ConfigWatch() override;

  // The files are looked at in their directories, where they may be replaced, and links that lead to them changed.
  void watch(config::Sources sources);
  void adopt(const std::shared_ptr<const Generation>& /*generation*/) override {}

 private:
  // Editors write in several steps.
  static constexpr Duration kSettle{200};

  void on_ready(std::uint32_t events) override;
  void look();

  net::Loop& loop_;
  std::function<void()> on_change_;
  Fd inotify_;
  std::vector<int> watches_;
  config::Sources sources_;
  net::Deadline settled_;
};

}  // namespace rproxy::server
