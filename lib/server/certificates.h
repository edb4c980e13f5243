// Certificates while it serves: files that change are read again, those of the ACME server are kept from ending.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "acme/certifier.h"
#include "admin/subject.h"
#include "net/task.h"
#include "server/control.h"
#include "server/on_demand_decisions.h"

namespace rproxy::server {

class Certificates final : public Control::Resident {
 public:
  explicit Certificates(net::Loop& loop) : loop_(loop) {}

  void adopt(const std::shared_ptr<const Generation>& generation) override;

  // For the admin endpoint.
  std::vector<admin::CertificateState> list() const;
  bool renew(const std::string& name) { return certifier_ != nullptr && certifier_->renew_now(name); }

 private:
  net::Task<void> watch_files();
  void certify();
  void keep_names();
  const acme::Managed* managed(const std::string& name) const;
  void show(const std::string& name, const acme::Certifier::Key& key);

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  net::Child<void> watching_;
  std::unique_ptr<acme::Certifier> certifier_;
  // Goes before the certifier, which it uses.
  OnDemandDecisions on_demand_{loop_,
                               {[this] { keep_names(); }, [this](const std::string& name) { return managed(name); },
                                [this] { return certifier_->on_demand_paused_until(); },
                                [this](const std::string& name, const acme::Certifier::Key& key) { show(name, key); }}};
};

}  // namespace rproxy::server
