// rproxy cert create, and rproxy cert ca.
#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "cli/cert_making.h"
#include "config/text.h"

namespace rproxy::cli {
namespace {

// With the hour that it is backdated below 398 days, which is the most that public authorities may give.
constexpr int kLeafDays = 397;
constexpr int kAuthorityDays = 3650;
constexpr std::chrono::hours kPublicMax{398 * 24};

x509::Secret secret_of(std::string text) { return x509::Secret::take(text); }

class Create final : public Command {
 public:
  explicit Create(CLI::App& cert) {
    auto* command = cert.add_subcommand("create", "Make a certificate and its key");
    command->add_option("name", names_, "Host names, addresses, URIs, mail addresses")->type_name("NAME");
    issuer_.add_to(*command);
    key_.add_to(*command, "NAME.key");
    span_.add_to(*command, "Valid for so many days (397)");
    add_usage(*command, usages_);
    command->add_option("--common-name", common_name_, "The subject's (the first name)")->type_name("TEXT");
    command->add_option("--organization", organization_, "The subject's")->type_name("TEXT");
    command->add_option("-o,--out", out_, "Write the certificate there (NAME.pem)")->type_name("FILE");
    command->add_option("--p12", p12_, "Write PKCS#12 there, with key and chain")->type_name("FILE");
    add_force(*command, is_forced_);
    command->footer(
        "Without --ca it is signed by its own key. A name is what it looks like, or what\n"
        "a prefix says: DNS:, IP:, URI:, email:. Files are NAME.pem and NAME.key.");
  }

  int run() override {
    const auto now = std::chrono::system_clock::now();
    x509::Profile profile;
    profile.names = parse_names(names_);
    if (profile.names.empty()) refuse_cert("a name is missing, such as shop.com");
    std::optional<LoadedIssuer> issuer;
    if (issuer_.is_given()) issuer = load_issuer(issuer_);
    const Span span = span_.get(now, kLeafDays, issuer ? &issuer->chain.front() : nullptr);
    profile.not_before = span.begin;
    profile.not_after = span.end;
    profile.common_name = common_name_.empty() ? x509::common_name_of(profile.names) : common_name_;
    profile.organization = organization_;
    profile.purposes = purposes_of(usages_);
    // No server has a mail address for a name.
    const bool is_person = std::ranges::all_of(
        profile.names, [](const auto& name) { return name.kind == x509::SubjectName::Kind::kEmail; });
    if (usages_.empty() && is_person) profile.purposes = {false, true};
    key_.passin = issuer_.passin;
    const x509::KeyPtr key = key_.get();
    const x509::Certificate made =
        take(issuer ? x509::issue(profile, key.get(), issuer->issuer()) : x509::self_signed(profile, key.get()));
    write(made, key.get(), issuer ? issuer->chain : std::vector<x509::Certificate>(), now);
    if (profile.not_after - profile.not_before > kPublicMax)
      fmt::print(stderr, "note: it is valid for more than 398 days, which clients refuse of public authorities\n");
    return kOk;
  }

 private:
  void write(const x509::Certificate& made, EVP_PKEY* key, const std::vector<x509::Certificate>& issuers,
             WallTime now) {
    const std::string stem = file_stem(take(x509::SubjectName::parse(names_.front())));
    NewFiles files(is_forced_);
    std::vector<std::string> written;
    std::vector<x509::Certificate> chain{made};
    for (const x509::Certificate& each : issuers) {
      if (!each.may_have_issued(each)) chain.push_back(each);
    }
    // With PKCS#12 the others only where they are asked for.
    if (p12_.empty() || !out_.empty()) {
      std::string pem;
      for (const x509::Certificate& each : chain) pem += x509::to_pem(each);
      written.push_back(out_.empty() ? stem + ".pem" : out_);
      files.add(written.back(), secret_of(std::move(pem)), x509::Access::kPublic);
    }
    if (key_.is_new() && (p12_.empty() || !key_.out.empty())) {
      written.push_back(key_.out.empty() ? stem + ".key" : key_.out);
      key_.add_file(files, key, written.back());
    }
    if (!p12_.empty()) {
      const auto password = new_password_from(key_.passout, p12_);
      if (!password) refuse_cert("--p12 takes a password: --passout env:NAME, file:PATH or prompt");
      written.push_back(p12_);
      files.add(p12_, take(x509::to_pkcs12(chain, key, password->view(), made.label())), x509::Access::kPrivate);
    }
    files.write();
    tell_made(made, written, now);
  }

  std::vector<std::string> names_;
  IssuerOptions issuer_;
  KeyOptions key_;
  SpanOptions span_;
  std::vector<std::string> usages_;
  std::string common_name_;
  std::string organization_;
  std::string out_;
  std::string p12_;
  bool is_forced_ = false;
};

class Ca final : public Command {
 public:
  explicit Ca(CLI::App& cert) {
    auto* command = cert.add_subcommand("ca", "Make an authority that signs certificates");
    command->add_option("name", name_, "What it is called (\"Local CA of HOST ...\")")->type_name("NAME");
    issuer_.add_to(*command);
    key_.add_to(*command, "ca.key");
    span_.add_to(*command, "Valid for so many days (3650)");
    command->add_option("--organization", organization_, "The subject's")->type_name("TEXT");
    command->add_option("--path-length", path_length_, "Authorities that may be below it (0)")
        ->type_name("N")
        ->check(CLI::Range(0, 16).description(""));
    command->add_option("--permit", permitted_, "Only for this domain or network; repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_option("-o,--out", out_, "Write the certificate there (ca.pem)")->type_name("FILE");
    add_force(*command, is_forced_);
    command->footer("How machines come to trust it: `rproxy cert trust`.");
  }

  int run() override {
    const auto now = std::chrono::system_clock::now();
    x509::Profile profile;
    profile.common_name = name_.empty() ? usual_name() : name_;
    profile.organization = organization_;
    profile.authority.emplace();
    profile.authority->path_length = path_length_;
    for (const std::string& each : permitted_) permit(each, profile.authority->permitted);
    std::optional<LoadedIssuer> issuer;
    if (issuer_.is_given()) issuer = load_issuer(issuer_);
    const Span span = span_.get(now, kAuthorityDays, issuer ? &issuer->chain.front() : nullptr);
    profile.not_before = span.begin;
    profile.not_after = span.end;
    key_.passin = issuer_.passin;
    const x509::KeyPtr key = key_.get();
    const x509::Certificate made =
        take(issuer ? x509::issue(profile, key.get(), issuer->issuer()) : x509::self_signed(profile, key.get()));
    NewFiles files(is_forced_);
    std::vector<std::string> written{out_.empty() ? "ca.pem" : out_};
    files.add(written.back(), secret_of(x509::to_pem(made) + (issuer ? issuer->chain_pem() : "")),
              x509::Access::kPublic);
    if (key_.is_new()) {
      written.push_back(key_.out.empty() ? file_beside(written.front()) : key_.out);
      key_.add_file(files, key.get(), written.back());
    }
    files.write();
    tell_made(made, written, now);
    return kOk;
  }

 private:
  // ".key" for ".pem", where --ca looks for it.
  static std::string file_beside(const std::string& certificate) {
    if (certificate == "-") return "ca.key";
    return certificate.substr(0, certificate.rfind('.')) + ".key";
  }

  // Several of one machine are told apart by it.
  static std::string usual_name() {
    std::array<char, 65> host{};
    ::gethostname(host.data(), host.size() - 1);
    std::array<unsigned char, 3> random{};
    RAND_bytes(random.data(), static_cast<int>(random.size()));
    return fmt::format("Local CA of {} {:02x}{:02x}{:02x}", std::string(host.data()).substr(0, 40), random[0],
                       random[1], random[2]);
  }

  static void permit(const std::string& text, x509::NameConstraints& out) {
    if (const auto network = IpNetwork::parse(text, true)) {
      out.networks.push_back(*network);
      return;
    }
    std::string domain = x509::normal_dns_name(text.starts_with('.') ? text.substr(1) : text);
    if (domain.empty())
      refuse_cert(fmt::format("--permit: {} is neither a domain, such as shop.com, nor a network, such as 10.0.0.0/8",
                              config::printable(text)));
    out.dns.push_back(std::move(domain));
  }

  std::string name_;
  IssuerOptions issuer_;
  KeyOptions key_;
  SpanOptions span_;
  std::string organization_;
  int path_length_ = 0;
  std::vector<std::string> permitted_;
  std::string out_;
  bool is_forced_ = false;
};

}  // namespace

std::unique_ptr<Command> make_cert_create(CLI::App& cert) { return std::make_unique<Create>(cert); }
std::unique_ptr<Command> make_cert_ca(CLI::App& cert) { return std::make_unique<Ca>(cert); }

}  // namespace rproxy::cli
