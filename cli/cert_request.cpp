// rproxy cert csr, and rproxy cert sign.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <utility>

#include "cli/cert_making.h"
#include "config/text.h"
#include "x509/request.h"

namespace rproxy::cli {
namespace {

constexpr int kLeafDays = 397;

class Csr final : public Command {
 public:
  explicit Csr(CLI::App& cert) {
    auto* command = cert.add_subcommand("csr", "Make a request for an authority to sign");
    command->add_option("name", names_, "Host names, addresses, URIs, mail addresses")->type_name("NAME");
    key_.add_to(*command, "NAME.key");
    command->add_option("--passin", key_.passin, "Password of --key: env:NAME, file:PATH, prompt")->type_name("SOURCE");
    command->add_option("--common-name", common_name_, "The subject's (the first name)")->type_name("TEXT");
    command->add_option("--organization", organization_, "The subject's")->type_name("TEXT");
    command->add_flag("--must-staple", must_staple_, "Ask for the TLS feature status_request");
    command->add_option("-o,--out", out_, "Write the request there (NAME.csr)")->type_name("FILE");
    add_force(*command, is_forced_);
  }

  int run() override {
    x509::Request::Options options;
    options.names = parse_names(names_);
    if (options.names.empty()) refuse_cert("a name is missing, such as shop.com");
    options.common_name = common_name_.empty() ? x509::common_name_of(options.names) : common_name_;
    options.organization = organization_;
    options.must_staple = must_staple_;
    const x509::KeyPtr key = key_.get();
    std::string pem = take(x509::Request::create(options, key.get())).to_pem();
    const std::string stem = file_stem(options.names.front());
    NewFiles files(is_forced_);
    std::vector<std::string> written{out_.empty() ? stem + ".csr" : out_};
    files.add(written.back(), x509::Secret::take(pem), x509::Access::kPublic);
    if (key_.is_new()) {
      written.push_back(key_.out.empty() ? stem + ".key" : key_.out);
      key_.add_file(files, key.get(), written.back());
    }
    files.write();
    std::string out;
    std::vector<std::string> names;
    for (const x509::SubjectName& each : options.names) names.push_back(x509::to_string(each));
    out += cert_field("names", joined(names), 0) + cert_field("key", x509::describe_key(key.get()), 0);
    for (const std::string& each : written) out += cert_field("written", each, 0);
    fmt::print(stderr, "{}", out);
    return kOk;
  }

 private:
  std::vector<std::string> names_;
  KeyOptions key_;
  std::string common_name_;
  std::string organization_;
  bool must_staple_ = false;
  std::string out_;
  bool is_forced_ = false;
};

class Sign final : public Command {
 public:
  explicit Sign(CLI::App& cert) {
    auto* command = cert.add_subcommand("sign", "Sign a request by an authority");
    command->add_option("request", request_, "The request, PEM or DER; -: standard input")->type_name("FILE");
    issuer_.add_to(*command);
    span_.add_to(*command, "Valid for so many days (397)");
    add_usage(*command, usages_);
    command->add_option("--name", names_, "Sign for these names instead; repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_option("-o,--out", out_, "Write the certificate there (NAME.pem)")->type_name("FILE");
    add_force(*command, is_forced_);
    command->footer("Of the request its key, names, common name and organization are taken.");
  }

  int run() override {
    if (request_.empty()) refuse_cert("the request is missing: FILE");
    if (!issuer_.is_given()) refuse_cert("who signs it? --ca FILE");
    const auto now = std::chrono::system_clock::now();
    const x509::Secret text = read_cert_file(request_);
    const x509::Request request = take(x509::Request::parse(text.view(), request_));
    const LoadedIssuer issuer = load_issuer(issuer_);
    x509::Profile profile;
    profile.names = names_.empty() ? take(request.names()) : parse_names(names_);
    // From before there were other names than common ones.
    if (profile.names.empty() && !request.common_name().empty()) profile.names = parse_names({request.common_name()});
    profile.common_name = names_.empty() ? request.common_name() : x509::common_name_of(profile.names);
    profile.organization = request.organization();
    const Span span = span_.get(now, kLeafDays, &issuer.chain.front());
    profile.not_before = span.begin;
    profile.not_after = span.end;
    profile.purposes = purposes_of(usages_);
    if (profile.names.empty()) fail_cert(fmt::format("{} asks for no name: say --name", request_));
    const x509::Certificate made = take(x509::issue(profile, request.public_key(), issuer.issuer()));
    const std::string out = out_.empty() ? file_stem(profile.names.front()) + ".pem" : out_;
    std::string pem = x509::to_pem(made) + issuer.chain_pem();
    NewFiles files(is_forced_);
    files.add(out, x509::Secret::take(pem), x509::Access::kPublic);
    files.write();
    tell_made(made, {out}, now);
    if (const auto others = request.other_extensions(); !others.empty())
      fmt::print(stderr, "{}", cert_field("left out", joined(others), 0));
    return kOk;
  }

 private:
  std::string request_;
  IssuerOptions issuer_;
  SpanOptions span_;
  std::vector<std::string> usages_;
  std::vector<std::string> names_;
  std::string out_;
  bool is_forced_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_csr(CLI::App& cert) { return std::make_unique<Csr>(cert); }
std::unique_ptr<Command> make_cert_sign(CLI::App& cert) { return std::make_unique<Sign>(cert); }

}  // namespace rproxy::cli
