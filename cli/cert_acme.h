// What the commands of `rproxy cert acme` share: the flags, a configuration that stands in for them, and how they wait and tell.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "acme/options.h"
#include "acme/session.h"
#include "acme/standalone.h"
#include "cli/cert.h"
#include "cli/cert_view.h"
#include "net/loop.h"

namespace CLI {
class App;
}

namespace rproxy::cli {

// Each adds itself to `acme`.
std::unique_ptr<Command> make_cert_acme_issue(CLI::App& acme);
std::unique_ptr<Command> make_cert_acme_renew(CLI::App& acme);
std::unique_ptr<Command> make_cert_acme_revoke(CLI::App& acme);
std::unique_ptr<Command> make_cert_acme_list(CLI::App& acme);
std::unique_ptr<Command> make_cert_acme_account(CLI::App& acme);

// Beside those that all commands have: there was nothing to do.
constexpr int kNothingDue = 5;

// What was chosen, by flags over a configuration over what is usual.
struct AcmeChoice {
  acme::Options options;
  net::ResolverOptions resolver;
  std::vector<std::string> names;  // of the configuration's routes
  bool has_config = false;
};

class AcmeFlags {
 public:
  // Of all commands.
  void add_to(CLI::App& command);
  // Of those that may need an account.
  void add_account_to(CLI::App& command);
  // Of those that have certificates made.
  void add_proofs_to(CLI::App& command);

  // Throws CertFailure. `wants_names`: what the configuration's certificates cover is to be found out.
  AcmeChoice choose(bool wants_names = false) const;
  // The same for standalone answering; nothing: none is needed.
  acme::Standalone::Options doors(const acme::Options& options) const;
  bool is_via_serve() const { return via_serve_; }
  Duration lock_wait() const;
  bool has_directory() const { return !directory_.empty() || !config_.empty(); }
  bool has_email() const { return email_given_; }
  bool has_key_type() const { return !key_type_.empty(); }
  bool has_profile() const { return !profile_.empty(); }

 private:
  void take_config(AcmeChoice& out, bool wants_names) const;
  void take_proofs(acme::Options& out, bool has_config) const;
  void take_account(acme::Options& out) const;

  std::string config_;
  std::string directory_;
  std::string storage_;
  std::string ca_file_;
  std::vector<std::string> email_;
  bool email_given_ = false;
  std::string eab_kid_;
  std::string eab_key_file_;
  std::string key_type_;
  std::string profile_;
  std::vector<std::string> challenges_;
  std::string dns_hook_;
  std::string dns_wait_;
  std::string address_;
  unsigned http_port_ = 80;
  unsigned tls_port_ = 443;
  bool via_serve_ = false;
  std::string lock_wait_ = "60s";
};

// A loop, what answers challenges on it, and who interrupts it.
class AcmeRun {
 public:
  AcmeRun(const AcmeChoice& choice, const AcmeFlags& flags, bool is_quiet);

  acme::SessionSettings settings();
  net::Loop& loop() { return loop_; }
  // The result of the task. Throws CertFailure where it is interrupted: what was begun is taken back then.
  template <typename T>
  T wait(net::Task<T> task) {
    std::optional<T> out;
    run(into(std::move(task), out));
    return std::move(*out);
  }
  void wait(net::Task<void> task) { run(std::move(task)); }
  // In front of what is told from now on.
  void tell_of(const std::string& name) { name_ = name; }

 private:
  // In cert_acme.cpp, for all that there are: GCC makes the frame of a coroutine in a header another one in each file.
  template <typename T>
  static net::Task<void> into(net::Task<T> task, std::optional<T>& out);
  void run(net::Task<void> task);
  Result<void> open_doors();
  void say(const std::string& step) const;

  net::Loop loop_;
  const AcmeChoice& choice_;
  const AcmeFlags& flags_;
  const bool is_quiet_;
  std::string name_;
  acme::ProofPlaces places_;
  std::unique_ptr<acme::Standalone> standalone_;
};

// The failure in one line, and what to do in another.
std::string failure_text(const acme::Failure& failure);
CertJson failure_json(const acme::Failure& failure);
// The code that a command ends with for it.
int exit_code_of(const acme::Failure& failure);
[[noreturn]] void fail_acme(const acme::Failure& failure);
template <typename T>
T take(acme::Outcome<T> outcome) {
  if (!outcome) fail_acme(outcome.error());
  if constexpr (!std::is_void_v<T>) return std::move(*outcome);
}

}  // namespace rproxy::cli
