// Certificates while it serves: files that change are read again, those of the ACME server are kept from ending.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "acme/certifier.h"
#include "admin/subject.h"
#include "net/resolver.h"
#include "net/task.h"
#include "server/control.h"
#include "upstream/fetcher.h"

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
  // Names that clients ask for: decided about one after the other.
  net::Task<void> serve_on_demand();
  net::Task<void> expire_waiters();
  net::Task<void> decide(std::string name);
  net::Task<bool> is_allowed(std::string name);
  void on_failed(const std::string& name);
  void show(const std::string& name, const acme::Certifier::Key& key);

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  net::Child<void> watching_;
  std::unique_ptr<acme::Certifier> certifier_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<upstream::Fetcher> fetcher_;
  net::Child<void> serving_;
  net::Child<void> expiring_;
};

}  // namespace rproxy::server
