// rproxy cert acme account.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "acme/account.h"
#include "cli/cert_acme.h"
#include "cli/output.h"
#include "config/text.h"

namespace rproxy::cli {
namespace {

class AccountCommand final : public Command {
 public:
  explicit AccountCommand(CLI::App& acme) {
    auto* command = acme.add_subcommand("account", "Show the account, make it, change it");
    command->add_option("action", action_, "show, register, update, rollover, deactivate")
        ->type_name("ACTION")
        ->check(CLI::IsMember({"show", "register", "update", "rollover", "deactivate"}).description(""));
    flags_.add_to(*command);
    flags_.add_account_to(*command);
    command->add_option("--key-type", key_type_, "Of rollover: p256, p384, rsa2048...")
        ->type_name("TYPE")
        ->check(CLI::IsMember({"p256", "p384", "rsa2048", "rsa3072", "rsa4096"}).description(""));
    command->add_flag("--yes", is_sure_, "Of deactivate, which can't be taken back");
    command->add_flag("--json", is_json_, "As JSON");
    command->footer(
        "register has one made, by which the authority's terms are agreed to; update\n"
        "takes --email (\"\": none); rollover gives it another key.");
  }

  int run() override {
    AcmeChoice choice = flags_.choose();
    check(choice);
    // Only where that is what is wanted.
    const std::vector<std::string> email = std::exchange(choice.options.email, {});
    if (action_ == "register") choice.options.email = email;
    AcmeRun run(choice, flags_, false);
    const auto session = take(acme::Session::open(run.loop(), run.settings()));
    if (action_ == "deactivate") return deactivate(run, *session);
    if (action_ == "update") take(run.wait(session->set_contacts(acme::contacts_of(email))));
    if (action_ == "rollover") take(run.wait(session->roll_over(*x509::parse_key_type(key_type_))));
    tell(take(run.wait(session->account(action_ != "register"))), *session);
    return kOk;
  }

 private:
  void check(const AcmeChoice& choice) const {
    if (action_ == "deactivate" && !is_sure_) refuse_cert("a deactivated account can't be had again: say --yes");
    if (action_ == "update" && !flags_.has_email() && choice.options.email.empty())
      refuse_cert("update takes --email (\"\": none)");
    // Not even its directories are made then.
    if (action_ != "register" && !acme::Store::has(choice.options.storage, choice.options.directory)) {
      fail_cert(fmt::format("there is no account at {} in {}: `rproxy cert acme account register` makes one",
                            choice.options.directory, choice.options.storage));
    }
  }

  int deactivate(AcmeRun& run, acme::Session& session) const {
    take(run.wait(session.deactivate()));
    if (is_json_) {
      CertJson json;
      json["directory"] = session.options().directory;
      json["status"] = "deactivated";
      write_output(dump(json));
    } else {
      write_output("deactivated, and removed from the storage\n");
    }
    return kOk;
  }

  void tell(const acme::Session::AccountView& view, const acme::Session& session) const {
    auto kept = take(session.store().account());
    const auto key = take(jose::SigningKey::create(std::move(kept->key)));
    const std::string kind = x509::describe_key(key.native());
    if (is_json_) {
      CertJson json;
      json["directory"] = session.options().directory;
      json["url"] = view.url;
      json["status"] = view.state.status;
      json["contacts"] = view.state.contacts;
      json["key"] = kind;
      json["thumbprint"] = key.thumbprint();
      json["terms_of_service"] = view.terms_of_service.empty() ? CertJson() : CertJson(view.terms_of_service);
      write_output(dump(json));
      return;
    }
    std::string out = cert_field("account", view.url, 0);
    out += cert_field("status", view.state.status, 0);
    out += cert_field("contact", view.state.contacts.empty() ? "none" : joined(view.state.contacts), 0);
    out += cert_field("key", kind, 0);
    out += cert_field("thumbprint", key.thumbprint(), 0);
    if (!view.terms_of_service.empty()) out += cert_field("terms", view.terms_of_service, 0);
    write_output(out);
  }

  std::string action_ = "show";
  AcmeFlags flags_;
  std::string key_type_ = "p256";
  bool is_sure_ = false;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_acme_account(CLI::App& acme) { return std::make_unique<AccountCommand>(acme); }

}  // namespace rproxy::cli
