// rproxy cert acme: certificates from an ACME server, by the code that `serve` has them with.
#include "cli/cert_acme.h"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <exception>
#include <nlohmann/json.hpp>

#include "acme/advice.h"
#include "acme/trial.h"
#include "config/text.h"
#include "net/sleep.h"
#include "scan/run_within.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
// One order may take ten minutes for each of its names.
constexpr Duration kRunMax{24LL * 3'600'000};
constexpr Duration kLookAgain{20};

volatile sig_atomic_t g_is_interrupted = 0;

// Once: whoever is not heard presses it again.
void heed_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_is_interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

struct Ending {
  bool is_done = false;
  std::exception_ptr exception;
};

net::Task<void> until_interrupted(net::Loop& loop, net::Task<void> task, Ending& ending) {
  net::Child<void> child(std::move(task));
  while (!child.is_done() && g_is_interrupted == 0) co_await net::Sleep(loop, kLookAgain);
  ending.is_done = child.is_done();
  try {
    if (ending.is_done) child.take();
  } catch (...) {
    ending.exception = std::current_exception();
  }
}

// A `serve` that runs as somebody else could read neither certificates nor challenges.
void warn_of_owner(const std::string& storage) {
  struct stat status {};
  if (::stat(storage.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return;
  const passwd* const owner = ::getpwuid(status.st_uid);
  const std::string name = owner != nullptr ? owner->pw_name : std::to_string(status.st_uid);
  fmt::print(stderr, "note: {} belongs to {}, who can't read what another keeps there: run this as {}\n",
             config::printable(storage), name, name);
}

class Acme final : public Command {
 public:
  explicit Acme(CLI::App& cert)
      : app_(cert.add_subcommand("acme", "Have certificates from an ACME server (Let's Encrypt)")) {
    app_->require_subcommand(1);
    app_->get_formatter()->column_width(26);
    for (const auto make : {make_cert_acme_issue, make_cert_acme_renew, make_cert_acme_revoke, make_cert_acme_list,
                            make_cert_acme_account})
      commands_.push_back(make(*app_));
    app_->footer("Each has its own --help.");
  }

  int run() override {
    const auto all = app_->get_subcommands([](CLI::App*) { return true; });
    for (std::size_t i = 0; i < commands_.size(); ++i) {
      if (all[i]->parsed()) return commands_[i]->run();
    }
    return kUsage;
  }

 private:
  CLI::App* app_;
  std::vector<std::unique_ptr<Command>> commands_;
};

}  // namespace

AcmeRun::AcmeRun(const AcmeChoice& choice, const AcmeFlags& flags, bool is_quiet)
    : loop_(kBufferSize), choice_(choice), flags_(flags), is_quiet_(is_quiet) {
  places_.http = std::make_shared<acme::HttpProofs>(choice.options.storage);
  places_.tls = std::make_shared<net::TlsChallenges>();
  places_.tells_others = flags.is_via_serve();
  places_.waits_when_dropped = true;
  if (!is_quiet) warn_of_owner(choice.options.storage);
  heed_interrupts();
}

acme::SessionSettings AcmeRun::settings() {
  acme::SessionSettings settings;
  settings.acme = choice_.options;
  settings.resolver = choice_.resolver;
  settings.places = places_;
  settings.lock_wait = flags_.lock_wait();
  settings.keeps_key_type = !choice_.has_config && !flags_.has_key_type();
  settings.keeps_profile = !choice_.has_config && !flags_.has_profile();
  settings.on_step = [this](const std::string& step) { say(step); };
  settings.before_proof = [this] { return open_doors(); };
  return settings;
}

// At the latest moment: where nothing is due, nobody has to make room.
Result<void> AcmeRun::open_doors() {
  if (standalone_ != nullptr || flags_.is_via_serve()) return {};
  const acme::Standalone::Options doors = flags_.doors(choice_.options);
  if (!doors.http && !doors.tls) return {};
  auto opened = acme::Standalone::open(loop_, doors, places_);
  if (!opened) return fail(std::move(opened.error()));
  standalone_ = std::move(*opened);
  for (const auto& [door, what] : {std::pair(doors.http, "http-01"), std::pair(doors.tls, "tls-alpn-01")}) {
    if (door) say(fmt::format("answering {} at {}", what, door->to_string()));
  }
  return {};
}

void AcmeRun::say(const std::string& step) const {
  if (is_quiet_) return;
  fmt::print(stderr, "{}{}{}\n", name_, name_.empty() ? "" : ": ", config::printable(step));
}

template <typename T>
net::Task<void> AcmeRun::into(net::Task<T> task, std::optional<T>& out) {
  out.emplace(co_await std::move(task));
}

template <typename T>
using Ended = acme::Outcome<T>;
template net::Task<void> AcmeRun::into(net::Task<Ended<void>>, std::optional<Ended<void>>&);
template net::Task<void> AcmeRun::into(net::Task<Ended<acme::Had>>, std::optional<Ended<acme::Had>>&);
template net::Task<void> AcmeRun::into(net::Task<Ended<acme::Session::AccountView>>,
                                       std::optional<Ended<acme::Session::AccountView>>&);
template net::Task<void> AcmeRun::into(net::Task<Ended<acme::Trial::Ground>>,
                                       std::optional<Ended<acme::Trial::Ground>>&);

void AcmeRun::run(net::Task<void> task) {
  Ending ending;
  scan::run_within(loop_, kRunMax, until_interrupted(loop_, std::move(task), ending));
  if (ending.exception) std::rethrow_exception(ending.exception);
  if (!ending.is_done) throw CertFailure{"interrupted: what was begun has been taken back", kRuntime, false};
}

std::string failure_text(const acme::Failure& failure) {
  std::string text = failure.text();
  if (!failure.problem) text = (failure.subject.empty() ? "" : failure.subject + ": ") + reason_of(failure.error);
  return config::printable(text);
}

CertJson failure_json(const acme::Failure& failure) {
  const auto now = std::chrono::system_clock::now();
  const std::string advice = acme::advice_for(failure, now);
  CertJson json;
  json["text"] = failure_text(failure);
  json["problem"] = failure.problem ? CertJson(failure.problem->type) : CertJson();
  json["retry_at"] = failure.retry_after ? CertJson(json_time(now + *failure.retry_after)) : CertJson();
  json["advice"] = advice.empty() ? CertJson() : CertJson(advice);
  return json;
}

int exit_code_of(const acme::Failure& failure) {
  return failure.error.code == ErrorCode::kCannotBind ? kCannotBind : kRuntime;
}

void fail_acme(const acme::Failure& failure) {
  const std::string advice = acme::advice_for(failure, std::chrono::system_clock::now());
  throw CertFailure{failure_text(failure) + (advice.empty() ? "" : "\n  " + advice), exit_code_of(failure), false};
}

std::unique_ptr<Command> make_cert_acme(CLI::App& cert) { return std::make_unique<Acme>(cert); }

}  // namespace rproxy::cli
