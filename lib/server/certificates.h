// Certificates while it serves: files that change are read again, those of the ACME server are kept from ending.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "acme/certifier.h"
#include "admin/subject.h"
#include "net/task.h"
#include "server/control.h"

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
  void show(const std::string& name, const acme::Certifier::Key& key);

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  net::Child<void> watching_;
  std::unique_ptr<acme::Certifier> certifier_;
};

}  // namespace rproxy::server
