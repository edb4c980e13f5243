// What authorities say of the certificates that are shown (OCSP), asked for before clients do.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "net/resolver.h"
#include "net/task.h"
#include "server/control.h"
#include "upstream/fetcher.h"

namespace rproxy::server {

class OcspStaples final : public Control::Resident {
 public:
  explicit OcspStaples(net::Loop& loop) : loop_(loop) {}

  void adopt(const std::shared_ptr<const Generation>& generation) override;

 private:
  using Identity = std::shared_ptr<const net::TlsIdentity>;
  // Of one certificate, by its fingerprint: reloads, and files read again, make other objects of it.
  struct Known {
    std::shared_ptr<const net::TlsIdentity::Staple> staple;  // null: there is none yet
    TimePoint ask_at;
    unsigned failures = 0;
    bool is_shown = false;
  };

  net::Task<void> keep_up();
  net::Task<void> look();
  net::Task<void> ask(const Identity& identity, Known& known);
  net::Task<Result<std::string>> fetch(const Identity& identity);
  void note_failure(const Identity& identity, Known& known, const Error& error);
  Result<void> take(const Identity& identity, Known& known, std::string der);

  net::Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  std::map<std::string, Known> known_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<upstream::Fetcher> fetcher_;
  net::Child<void> keeping_up_;
};

}  // namespace rproxy::server
