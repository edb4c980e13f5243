// Which names a certificate is made for when a client first asks, and who waits for one. Clients' handshakes ask on any thread; the control
// thread decides, has it made, and tells.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "acme/options.h"
#include "base/units.h"
#include "net/tls_on_demand.h"

namespace rproxy::server {

class OnDemand final : public net::TlsOnDemand {
 public:
  explicit OnDemand(acme::OnDemandOptions options) : options_(std::move(options)) {}
  ~OnDemand() override { close(); }

  const acme::OnDemandOptions& options() const { return options_; }

  // ---- For handshakes.
  bool may_come(std::string_view name) const override;
  void have_made(const std::string& name, std::function<void(bool)> told) override;

  // ---- For the control thread.
  // Those that certificates are kept for; what has been made before is let in at the start, as far as `hosts` goes.
  std::vector<std::string> names() const;
  void admit(const std::vector<std::string>& names);
  // Those that somebody waits for since this was asked last; `told` is called once, when there are any.
  std::vector<std::string> take_asked();
  void tell_of_next(std::function<void(bool)> told);
  // What was taken and is not settled is asked for again: whoever took it has gone.
  void ask_again();
  // Whether there is room for another, and time to try it; then it is one of names().
  bool add(const std::string& name, TimePoint now);
  void drop(const std::string& name);
  // Nobody waits for it any more: it is shown, or is not to be had for so long.
  void settle_shown(const std::string& name);
  void settle_refused(const std::string& name, Duration refused_for = std::chrono::minutes{1});
  // Whoever has waited too long.
  void expire(TimePoint now);
  // Nobody is to wait any more: another takes its place.
  void close();

 private:
  struct Waiter {
    std::function<void(bool)> told;
    TimePoint until;
  };
  struct Asked {
    std::vector<Waiter> waiters;
    bool is_taken = false;  // it is decided about, or made
  };
  using Tellers = std::vector<std::function<void(bool)>>;
  bool is_of_hosts(std::string_view name) const;
  bool has_room(const std::string& name) const;
  Tellers take_waiters(const std::string& name);

  const acme::OnDemandOptions options_;
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, Asked, std::less<>> asked_;
  std::map<std::string, TimePoint, std::less<>> refused_;  // until when
  std::deque<TimePoint> tried_;                            // within the last hour
  std::function<void(bool)> on_asked_;
  bool is_closed_ = false;
};

}  // namespace rproxy::server
