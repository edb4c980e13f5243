// rproxy cert verify: what clients will think of a chain.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/cert_remote.h"
#include "cli/cert_view.h"
#include "cli/diagnostics.h"
#include "cli/output.h"
#include "config/text.h"

namespace rproxy::cli {
namespace {

class Verify final : public Command {
 public:
  explicit Verify(CLI::App& cert) {
    auto* command = cert.add_subcommand("verify", "Say what clients will think of a chain");
    command->add_option("what", what_, "The chain, in PEM, DER or PKCS#12; HOST:PORT")->type_name("FILE");
    command->add_option("--ca", authorities_, "Trust these, not the system's (PEM)")->type_name("FILE");
    command->add_option("--key", key_, "The server's private key, to belong to it")->type_name("FILE");
    command->add_option("--name", names_, "Clients ask for this name; repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_option("--purpose", purpose_, "server (default) or client")
        ->type_name("WHAT")
        ->check(CLI::IsMember({"server", "client"}).description(""));
    command->add_option("--at", at_, "As of then: a date, or 30d")->type_name("TIME");
    command->add_flag("--strict", is_strict_, "Warnings count as errors");
    remote_.add_to(*command);
    command->add_option("--passin", passin_, "Password: env:NAME, file:PATH, prompt")->type_name("SOURCE");
    command->add_flag("--json", is_json_, "As JSON");
    command->footer("Exit codes: 0 clients take it, 1 they don't, 2 usage, or it can't be read.");
  }

  int run() override {
    try {
      return judge();
    } catch (const CertFailure& failure) {
      // 1 says something of the chain.
      throw CertFailure{failure.what, kUsage, failure.is_usage};
    }
  }

 private:
  int judge() {
    if (what_.empty()) refuse_cert("what? A FILE with a chain, or HOST:PORT");
    const auto now = std::chrono::system_clock::now();
    x509::ChainQuestion question;
    question.now = now;
    if (!at_.empty()) {
      const auto time = parse_time(at_, now);
      if (!time) refuse_cert(fmt::format("--at: {} is no time such as 30d or 2027-01-31", config::printable(at_)));
      question.now = *time;
    }
    question.purpose =
        purpose_ == "client" ? x509::ChainQuestion::Purpose::kClient : x509::ChainQuestion::Purpose::kServer;
    question.names = names_;
    x509::KeyPtr key;
    load(question, key);
    if (question.presented.empty())
      fail_cert(fmt::format("{}: there is no certificate in it", config::printable(what_)));
    question.key = key.get();
    const x509::TrustStore trusted =
        take(authorities_.empty() ? x509::TrustStore::system() : x509::TrustStore::from_file(authorities_));
    question.trusted = &trusted;
    const x509::ChainVerdict verdict = x509::verify_chain(question);
    const bool has_warnings = std::ranges::any_of(
        verdict.findings, [](const x509::Finding& each) { return each.severity == x509::Severity::kWarning; });
    const bool is_fine = verdict.is_fine() && !(is_strict_ && has_warnings);
    print(verdict, question.now, is_fine);
    return is_fine ? kOk : kFindings;
  }

  void load(x509::ChainQuestion& question, x509::KeyPtr& key) {
    if (const auto address = parse_server(what_)) {
      question.presented = fetch(what_, *address, remote_).chain;
      if (question.names.empty() && address->kind != HostPort::Kind::kUnix)
        question.names.push_back(remote_.server_name.empty() ? address->host : remote_.server_name);
    } else {
      if (what_ != "-" && ::access(what_.c_str(), F_OK) != 0) fail_neither(what_);
      x509::Bundle bundle = read_bundle(what_, passin_);
      question.presented = std::move(bundle.certificates);
      if (!bundle.keys.empty()) key = std::move(bundle.keys.front());
    }
    if (key_.empty()) return;
    x509::Bundle keys = read_bundle(key_, passin_);
    if (keys.keys.empty()) fail_cert(fmt::format("{}: there is no private key in it", key_));
    key = std::move(keys.keys.front());
  }

  void print(const x509::ChainVerdict& verdict, WallTime at, bool is_fine) const {
    if (is_json_) {
      CertJson json;
      json["what"] = what_;
      json["ok"] = is_fine;
      json["trusted"] = verdict.is_trusted;
      json["at"] = json_time(at);
      json["findings"] = findings_json(verdict.findings);
      json["path"] = CertJson::array();
      for (std::size_t i = 0; i < verdict.path.size(); ++i) {
        CertJson each = certificate_json(x509::facts_of(verdict.path[i]));
        each["presented"] = i < verdict.presented_in_path;
        json["path"].push_back(std::move(each));
      }
      return write_output(dump(json));
    }
    std::string out = chain_tree(verdict.path, at);
    if (!verdict.findings.empty()) out += "\n" + findings_text(verdict.findings, use_color(STDOUT_FILENO));
    const std::string by = config::printable(short_name(verdict.path.back()));
    if (is_fine)
      out += fmt::format("\n{}: ok, trusted by {}\n", config::printable(what_), by);
    else
      out += fmt::format("\n{}: clients refuse it\n", config::printable(what_));
    write_output(out);
  }

  std::string what_;
  std::string authorities_;
  std::string key_;
  std::vector<std::string> names_;
  std::string purpose_;
  std::string at_;
  bool is_strict_ = false;
  RemoteOptions remote_;
  std::string passin_;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_verify(CLI::App& cert) { return std::make_unique<Verify>(cert); }

}  // namespace rproxy::cli
