// rproxy cert acme revoke.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "acme/revocation.h"
#include "cli/cert_acme.h"
#include "cli/output.h"
#include "config/text.h"
#include "x509/subject_name.h"

namespace rproxy::cli {
namespace {

std::vector<std::string> reason_words() {
  std::vector<std::string> words;
  for (const auto& each : acme::kRevocationReasons) words.emplace_back(each.word);
  return words;
}

int code_of(const std::string& word) {
  return std::ranges::find(acme::kRevocationReasons, word, &acme::RevocationReason::word)->code;
}

class Revoke final : public Command {
 public:
  explicit Revoke(CLI::App& acme) {
    auto* command = acme.add_subcommand("revoke", "Have a certificate taken back");
    command->add_option("what", what_, "One that is kept, or a FILE with it")->type_name("NAME");
    flags_.add_to(*command);
    command->add_option("--ca-file", ca_file_, "Trust these for the server itself (PEM)")->type_name("FILE");
    command->add_option("--reason", reason_, "unspecified, key-compromise, superseded...")
        ->type_name("WORD")
        ->check(CLI::IsMember(reason_words()).description(""));
    command->add_option("--key", key_, "By the certificate's key, not the account")->type_name("FILE");
    command->add_flag("--keep", is_kept_, "Leave it in the storage");
    command->add_flag("--json", is_json_, "As JSON");
    command->footer("Without --keep it is removed from the storage: nobody is to serve it any more.");
  }

  int run() override {
    if (what_.empty()) refuse_cert("what? The name of a certificate that is kept, or a file with one");
    AcmeChoice choice = flags_.choose();
    if (!ca_file_.empty()) choice.options.ca_file = ca_file_;
    const std::string name = kept_name(choice.options);
    const x509::Certificate certificate = name.empty() ? read() : kept(choice.options, name);
    AcmeRun run(choice, flags_, true);
    const auto session = take(acme::Session::open(run.loop(), run.settings()));
    auto done = run.wait(session->revoke(certificate, code_of(reason_), signing_key()));
    const bool was_already = !done && done.error().has_word("alreadyRevoked");
    if (!done && !was_already) fail_acme(done.error());
    const bool is_removed = !name.empty() && !is_kept_;
    if (is_removed) take(session->store().remove_certificate(name));
    tell(certificate, was_already, is_removed);
    return kOk;
  }

 private:
  // Empty: it is a file.
  std::string kept_name(const acme::Options& options) const {
    const auto parsed = x509::SubjectName::parse(what_);
    std::string name = parsed ? parsed->text : what_;
    if (acme::Store::has(options.storage, options.directory)) {
      const auto names = take(acme::Store::open(options.storage, options.directory)).names();
      if (std::ranges::find(names, name) != names.end()) return name;
    }
    if (what_ == "-" || ::access(what_.c_str(), F_OK) == 0) return {};
    fail_cert(fmt::format("{} is neither a file nor a certificate of {} in {}", config::printable(what_),
                          options.directory, options.storage));
  }

  static x509::Certificate kept(const acme::Options& options, const std::string& name) {
    return take(take(acme::Store::open(options.storage, options.directory)).certificate(name))->leaf();
  }

  x509::Certificate read() const {
    const x509::Bundle bundle = read_bundle(what_, "");
    if (bundle.certificates.empty()) fail_cert(what_ + ": there is no certificate in it");
    return bundle.certificates.front();
  }

  std::optional<jose::SigningKey> signing_key() const {
    if (key_.empty()) return std::nullopt;
    x509::Bundle bundle = read_bundle(key_, "");
    if (bundle.keys.empty()) fail_cert(key_ + ": there is no private key in it");
    return take(jose::SigningKey::create(std::move(bundle.keys.front())));
  }

  void tell(const x509::Certificate& certificate, bool was_already, bool is_removed) const {
    if (is_json_) {
      CertJson json;
      json["names"] = acme::names_of(certificate);
      json["result"] = was_already ? "was_revoked" : "revoked";
      json["reason"] = reason_;
      json["removed"] = is_removed;
      write_output(dump(json));
      return;
    }
    write_output(fmt::format("{}: {}{}\n", config::printable(certificate.label()),
                             was_already ? "was revoked already" : "revoked",
                             is_removed ? ", and removed from the storage" : ""));
  }

  std::string what_;
  AcmeFlags flags_;
  std::string ca_file_;
  std::string reason_ = "unspecified";
  std::string key_;
  bool is_kept_ = false;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_acme_revoke(CLI::App& acme) { return std::make_unique<Revoke>(acme); }

}  // namespace rproxy::cli
