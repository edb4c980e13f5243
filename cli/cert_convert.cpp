// rproxy cert convert: from one form into another.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <utility>

#include "cli/cert.h"
#include "x509/path.h"

namespace rproxy::cli {
namespace {

class Convert final : public Command {
 public:
  explicit Convert(CLI::App& cert) {
    auto* command = cert.add_subcommand("convert", "Between PEM, DER and PKCS#12");
    command->add_option("file", file_, "PEM, DER or PKCS#12; -: standard input")->type_name("FILE");
    command->add_option("--to", to_, "pem, der or p12")
        ->type_name("FORM")
        ->check(CLI::IsMember({"pem", "der", "p12"}).description(""));
    command->add_option("-o,--out", out_, "Write it there; -: standard output")->type_name("FILE");
    command->add_option("--key", key_, "The private key, where FILE has none")->type_name("FILE");
    command->add_option("--keyout", key_out_, "Write the key there, not to --out")->type_name("FILE");
    command->add_option("--passin", passin_, "Password of FILE: env:NAME, file:PATH, prompt")->type_name("SOURCE");
    command->add_option("--passout", passout_, "Of what is written: the same")->type_name("SOURCE");
    command->add_option("--name", name_, "Of p12: what key stores show it as")->type_name("TEXT");
    command->add_flag("-f,--force", is_forced_, "Replace files that are there");
    command->footer(
        "To der one item is written: the first certificate, or what else there is. A file\n"
        "that has a private key is readable by its owner alone.");
  }

  int run() override {
    if (file_.empty()) refuse_cert("what? A FILE");
    if (to_.empty()) refuse_cert("into what? --to pem, der or p12");
    if (out_.empty()) refuse_cert("where to? --out FILE, or - for standard output");
    x509::Bundle bundle = read_bundle(file_, passin_);
    if (!key_.empty()) {
      x509::Bundle keys = read_bundle(key_, passin_);
      if (keys.keys.empty()) fail_cert(fmt::format("{}: there is no private key in it", key_));
      bundle.keys = std::move(keys.keys);
    }
    NewFiles files(is_forced_);
    if (to_ == "p12") {
      add_pkcs12(bundle, files);
    } else if (to_ == "pem") {
      add_pem(bundle, files);
    } else {
      add_der(bundle, files);
    }
    files.write();
    return kOk;
  }

 private:
  void add_pkcs12(x509::Bundle& bundle, NewFiles& files) const {
    if (!key_out_.empty()) refuse_cert("--keyout is for pem and der: PKCS#12 has the key in it");
    if (bundle.keys.empty()) fail_cert(fmt::format("{}: PKCS#12 takes the private key, too: --key FILE", file_));
    if (bundle.certificates.empty()) fail_cert(fmt::format("{}: there is no certificate in it", file_));
    const auto password = new_password_from(passout_, out_);
    if (!password) refuse_cert("--to p12 takes a password: --passout env:NAME, file:PATH or prompt");
    const std::string name = name_.empty() ? bundle.certificates.front().label() : name_;
    files.add(out_, take(x509::to_pkcs12(bundle.certificates, bundle.keys.front().get(), password->view(), name)),
              x509::Access::kPrivate);
  }

  void add_pem(const x509::Bundle& bundle, NewFiles& files) const {
    std::string text;
    for (const x509::Certificate& each : bundle.certificates) text += x509::to_pem(each);
    for (const x509::Request& each : bundle.requests) text += each.to_pem();
    for (const auto& each : bundle.revocation_lists) text += x509::to_pem(each.get());
    for (const x509::KeyPtr& each : bundle.public_keys) text += x509::public_key_pem(each.get());
    // In one piece, for what it had to grow out of would not be wiped.
    constexpr std::size_t kKeyMax = std::size_t{32} * 1024;
    std::string keys;
    keys.reserve(bundle.keys.size() * kKeyMax);
    const auto password =
        bundle.keys.empty() ? std::nullopt : new_password_from(passout_, key_out_.empty() ? out_ : key_out_);
    for (const x509::KeyPtr& each : bundle.keys) {
      const x509::Secret pem =
          take(x509::private_key_pem(each.get(), password ? password->view() : std::string_view()));
      keys += pem.view();
    }
    const bool has_key = !keys.empty();
    if (!key_out_.empty()) {
      if (!has_key) fail_cert(fmt::format("{}: there is no private key in it for --keyout", file_));
      files.add(key_out_, x509::Secret::take(keys), x509::Access::kPrivate);
      files.add(out_, x509::Secret::take(text), x509::Access::kPublic);
      return;
    }
    text.reserve(text.size() + keys.size());
    text += keys;
    OPENSSL_cleanse(keys.data(), keys.size());
    files.add(out_, x509::Secret::take(text), has_key ? x509::Access::kPrivate : x509::Access::kPublic);
  }

  void add_der(const x509::Bundle& bundle, NewFiles& files) const {
    const auto key_der = [&](const std::string& path) {
      const auto password = new_password_from(passout_, path);
      return take(x509::private_key_der(bundle.keys.front().get(), password ? password->view() : std::string_view()));
    };
    if (!key_out_.empty()) {
      if (bundle.keys.empty()) fail_cert(fmt::format("{}: there is no private key in it for --keyout", file_));
      files.add(key_out_, key_der(key_out_), x509::Access::kPrivate);
    }
    std::string der;
    if (!bundle.certificates.empty()) {
      der = x509::to_der(bundle.certificates.front());
    } else if (!bundle.requests.empty()) {
      der = bundle.requests.front().to_der();
    } else if (!bundle.revocation_lists.empty()) {
      der = x509::to_der(bundle.revocation_lists.front().get());
    } else if (!bundle.keys.empty() && key_out_.empty()) {
      files.add(out_, key_der(out_), x509::Access::kPrivate);
      return;
    } else if (!bundle.public_keys.empty()) {
      der = x509::public_key_der(bundle.public_keys.front().get());
    }
    if (der.empty()) fail_cert(fmt::format("{}: there is nothing for --out in it", file_));
    files.add(out_, x509::Secret::take(der), x509::Access::kPublic);
    if (bundle.certificates.size() > 1)
      fmt::print(stderr, "note: DER has room for one certificate: {} others are left out\n",
                 bundle.certificates.size() - 1);
  }

  std::string file_;
  std::string to_;
  std::string out_;
  std::string key_;
  std::string key_out_;
  std::string passin_;
  std::string passout_;
  std::string name_;
  bool is_forced_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_convert(CLI::App& cert) { return std::make_unique<Convert>(cert); }

}  // namespace rproxy::cli
