// Which names a certificate is made for when a client first asks, and who waits for one. Clients' handshakes ask on any thread; the control
// thread decides, has it made, and tells.
#pragma once

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
  ~OnDemand() override;

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
  // Whether there is room for another; then it is one of names().
  bool add(const std::string& name);
  // Nobody waits for it any more: it is shown, or is not to be had for a while.
  void settle(const std::string& name, bool is_shown);
  void drop(const std::string& name);
  // Whoever has waited too long.
  void expire(TimePoint now);

 private:
  struct Waiter {
    std::function<void(bool)> told;
    TimePoint until;
  };
  using Tellers = std::vector<std::function<void(bool)>>;
  bool is_of_hosts(std::string_view name) const;

  const acme::OnDemandOptions options_;
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, std::vector<Waiter>, std::less<>> waiting_;
  std::map<std::string, TimePoint, std::less<>> refused_;  // until when
  std::vector<std::string> asked_;
  std::function<void(bool)> on_asked_;
};

}  // namespace rproxy::server
