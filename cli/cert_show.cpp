// rproxy cert show: what is in a file, or what a server shows.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/cert_remote.h"
#include "cli/cert_view.h"
#include "cli/output.h"
#include "config/text.h"
#include "scan/cipher.h"
#include "x509/ocsp.h"

namespace rproxy::cli {
namespace {

std::string count_of(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string contents_of(const x509::Bundle& bundle) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) parts.push_back(count_of(count, what));
  };
  add(bundle.certificates.size(), "certificate");
  add(bundle.keys.size(), "private key");
  add(bundle.public_keys.size(), "public key");
  add(bundle.requests.size(), "request");
  add(bundle.revocation_lists.size(), "revocation list");
  static constexpr const char* kForms[] = {"PEM", "DER", "PKCS#12"};
  return fmt::format("{} ({})", joined(parts), kForms[static_cast<std::size_t>(bundle.form)]);
}

class Show final : public Command {
 public:
  explicit Show(CLI::App& cert) {
    auto* command = cert.add_subcommand("show", "Show what a file has, or a server shows");
    command->add_option("what", what_, "PEM, DER or PKCS#12; -: standard input; HOST:PORT")->type_name("FILE");
    remote_.add_to(*command);
    command->add_option("--passin", passin_, "Password: env:NAME, file:PATH, prompt")->type_name("SOURCE");
    command->add_flag("--json", is_json_, "As JSON");
    command->footer("Certificates, requests (CSR), revocation lists (CRL), keys, and PKCS#12.");
  }

  int run() override {
    if (what_.empty()) refuse_cert("what? A FILE, or HOST:PORT");
    now_ = std::chrono::system_clock::now();
    if (const auto address = parse_server(what_)) {
      show_server(fetch(what_, *address, remote_));
    } else {
      if (what_ != "-" && ::access(what_.c_str(), F_OK) != 0) fail_neither(what_);
      show_file(read_bundle(what_, passin_));
    }
    return kOk;
  }

 private:
  void show_file(const x509::Bundle& bundle) {
    if (is_json_) return write_output(dump(bundle_json(bundle)));
    std::string out =
        fmt::format("{}: {}\n", config::printable(what_ == "-" ? "standard input" : what_), contents_of(bundle));
    out += certificates_text(bundle.certificates);
    for (const x509::Request& each : bundle.requests) out += "\nrequest\n" + request_text(each);
    for (const auto& each : bundle.revocation_lists)
      out += "\nrevocation list\n" + revocation_list_text(each.get(), now_);
    for (const x509::KeyPtr& each : bundle.keys) {
      out += "\n" + key_text(each.get(), true);
      for (const x509::Certificate& certificate : bundle.certificates) {
        if (x509::is_same_key(X509_get0_pubkey(certificate.native()), each.get()))
          out += cert_field("belongs to", short_name(certificate));
      }
    }
    for (const x509::KeyPtr& each : bundle.public_keys) out += "\n" + key_text(each.get(), false);
    if (!bundle.others.empty()) out += "\n" + cert_field("passed over", joined(bundle.others));
    write_output(out);
  }

  void show_server(const scan::Seen& seen) {
    const auto ocsp = seen.ocsp.empty() ? std::nullopt : x509::parse_ocsp(seen.ocsp);
    if (is_json_) {
      CertJson json;
      json["server"] = what_;
      json["protocol"] = scan::version_name(seen.version);
      json["cipher"] = seen.cipher;
      json["alpn"] = seen.alpn.empty() ? CertJson() : CertJson(seen.alpn);
      json["ocsp_stapled"] = ocsp ? CertJson(ocsp->status) : CertJson();
      json["certificates"] = certificates_json(seen.chain);
      return write_output(dump(json));
    }
    std::string out = fmt::format("{}: {}, {}{}\n", config::printable(what_), scan::version_name(seen.version),
                                  seen.cipher, seen.alpn.empty() ? "" : ", " + config::printable(seen.alpn));
    if (ocsp) out += fmt::format("stapled: {}\n", ocsp->status);
    write_output(out + certificates_text(seen.chain));
  }

  std::string certificates_text(const std::vector<x509::Certificate>& all) const {
    std::string out;
    if (!all.empty()) out += "\n" + chain_tree(all, now_);
    for (const x509::Certificate& each : all)
      out += fmt::format("\n{}\n{}", config::printable(short_name(each)), certificate_text(x509::facts_of(each), now_));
    return out;
  }

  static CertJson certificates_json(const std::vector<x509::Certificate>& all) {
    CertJson json = CertJson::array();
    for (const x509::Certificate& each : all) json.push_back(certificate_json(x509::facts_of(each)));
    return json;
  }

  CertJson bundle_json(const x509::Bundle& bundle) const {
    static constexpr const char* kForms[] = {"pem", "der", "pkcs12"};
    CertJson json;
    json["file"] = what_;
    json["form"] = kForms[static_cast<std::size_t>(bundle.form)];
    json["certificates"] = certificates_json(bundle.certificates);
    json["requests"] = CertJson::array();
    for (const x509::Request& each : bundle.requests) json["requests"].push_back(request_json(each));
    json["revocation_lists"] = CertJson::array();
    for (const auto& each : bundle.revocation_lists)
      json["revocation_lists"].push_back(revocation_list_json(each.get()));
    json["private_keys"] = CertJson::array();
    for (const x509::KeyPtr& each : bundle.keys) json["private_keys"].push_back(key_json(each.get()));
    json["public_keys"] = CertJson::array();
    for (const x509::KeyPtr& each : bundle.public_keys) json["public_keys"].push_back(key_json(each.get()));
    return json;
  }

  std::string what_;
  RemoteOptions remote_;
  std::string passin_;
  bool is_json_ = false;
  WallTime now_;
};

}  // namespace

std::unique_ptr<Command> make_cert_show(CLI::App& cert) { return std::make_unique<Show>(cert); }

}  // namespace rproxy::cli
