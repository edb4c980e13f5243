// Finds out what a TLS server offers, by a few dozen connections, several at once. Nothing it does harms a server: no handshake is left
// half-way but by closing, and nothing malformed is sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"
#include "net/loop.h"
#include "net/task.h"
#include "scan/hello.h"
#include "scan/report.h"
#include "scan/target.h"
#include "x509/trust_store.h"

namespace rproxy::scan {

class Scanner {
 public:
  // All outlive it. `trusted` null: whom the chain ends at is not asked.
  Scanner(net::Loop& loop, const Target& target, const x509::TrustStore* trusted, x509::WallTime now)
      : loop_(loop), target_(target), trusted_(trusted), now_(now) {}
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  // Fills the report as it goes: what is there when the task is cancelled stands.
  net::Task<void> run();
  Report& report() { return report_; }

 private:
  net::Task<void> find_versions();
  void add_version();
  net::Task<void> find_version(std::uint16_t version, bool& is_spoken);
  net::Task<void> find_ciphers(Protocol& protocol);
  net::Task<void> find_order(Protocol& protocol);
  net::Task<void> find_groups();
  net::Task<void> find_more_groups(std::vector<std::uint16_t> groups);
  net::Task<void> find_old_ways();
  net::Task<void> find_certificate();
  net::Task<void> find_alpn();
  net::Task<void> find_http();
  net::Task<void> find_resumption();
  net::Task<std::optional<bool>> resumes(std::uint16_t version, bool with_ticket);
  net::Task<ServerAnswer> ask(ClientHello hello);
  ClientHello hello_of(std::uint16_t version) const;
  void note_problem(const std::string& what, const Error& error);

  net::Loop& loop_;
  const Target& target_;
  const x509::TrustStore* trusted_;
  const x509::WallTime now_;
  Report report_;
  // Of the whole handshake.
  std::uint16_t version_ = 0;
  std::uint16_t cipher_ = 0;
};

}  // namespace rproxy::scan
