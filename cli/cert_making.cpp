#include "cli/cert_making.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <utility>

#include "config/text.h"
#include "x509/facts.h"
#include "x509/path.h"

namespace rproxy::cli {
namespace {

// Clocks of clients are late now and then.
constexpr std::chrono::hours kBackdated{1};
constexpr std::chrono::hours kDay{24};

}  // namespace

void KeyOptions::add_to(CLI::App& command, const std::string& default_out) {
  command.add_option("--key-type", type, "p256, p384, rsa2048, rsa3072, rsa4096, ed25519")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"p256", "p384", "rsa2048", "rsa3072", "rsa4096", "ed25519"}).description(""));
  command.add_option("--key", file, "Use this private key instead of a new one")->type_name("FILE");
  command.add_option("--keyout", out, fmt::format("Write the key there ({})", default_out))->type_name("FILE");
  command.add_option("--passout", passout, "Encrypt it: env:NAME, file:PATH, prompt")->type_name("SOURCE");
}

x509::KeyPtr KeyOptions::get() const {
  if (is_new()) return take(x509::generate_key(*x509::parse_key_type(type)));
  if (!out.empty()) refuse_cert("--keyout is for a new key, --key has one");
  x509::Bundle bundle = read_bundle(file, passin);
  if (bundle.keys.empty()) fail_cert(fmt::format("{}: there is no private key in it", file));
  return std::move(bundle.keys.front());
}

void KeyOptions::add_file(NewFiles& files, const EVP_PKEY* key, const std::string& path) const {
  const auto password = new_password_from(passout, path);
  files.add(path, take(x509::private_key_pem(key, password ? password->view() : std::string_view())),
            x509::Access::kPrivate);
}

void SpanOptions::add_to(CLI::App& command, const char* days_meaning) {
  command.add_option("--days", days, days_meaning)->type_name("N")->check(CLI::Range(1, 36'500).description(""));
  command.add_option("--not-before", not_before, "From then on: a date, or -1d")->type_name("TIME");
  command.add_option("--not-after", not_after, "Until then: a date, or 12h")->type_name("TIME");
}

Span SpanOptions::get(WallTime now, int usual_days, const x509::Certificate* issuer) const {
  if (days && !not_after.empty()) refuse_cert("--days and --not-after say the same");
  const auto parse = [now](const char* option, const std::string& text) {
    const auto time = parse_time(text, now);
    if (!time) refuse_cert(fmt::format("{}: {} is no time such as 90d or 2027-01-31", option, config::printable(text)));
    return *time;
  };
  Span span{now - kBackdated, now + days.value_or(usual_days) * kDay};
  if (!not_before.empty()) {
    span.begin = parse("--not-before", not_before);
    if (days) span.end = span.begin + *days * kDay;
  } else if (issuer != nullptr) {
    span.begin = std::max(span.begin, issuer->not_before());
  }
  if (!not_after.empty()) {
    span.end = parse("--not-after", not_after);
  } else if (!days && issuer != nullptr) {
    span.end = std::min(span.end, issuer->not_after());
  }
  return span;
}

void IssuerOptions::add_to(CLI::App& command) {
  command.add_option("--ca", cert, "Have it signed by this authority")->type_name("FILE");
  command.add_option("--ca-key", key, "Its private key (FILE with .key for .pem)")->type_name("FILE");
  command.add_option("--passin", passin, "Password of a key: env:NAME, file:PATH, prompt")->type_name("SOURCE");
}

LoadedIssuer load_issuer(const IssuerOptions& options) {
  x509::Bundle bundle = read_bundle(options.cert, options.passin);
  if (bundle.certificates.empty()) fail_cert(fmt::format("{}: there is no certificate in it", options.cert));
  LoadedIssuer loaded{std::move(bundle.certificates), nullptr};
  if (!bundle.keys.empty() && options.key.empty()) {
    loaded.key = std::move(bundle.keys.front());
    return loaded;
  }
  std::string file = options.key;
  if (file.empty()) file = options.cert.substr(0, options.cert.rfind('.')) + ".key";
  x509::Bundle keys = read_bundle(file, options.passin);
  if (keys.keys.empty()) fail_cert(fmt::format("{}: there is no private key in it", file));
  loaded.key = std::move(keys.keys.front());
  return loaded;
}

std::string LoadedIssuer::chain_pem() const {
  std::string pem;
  for (const x509::Certificate& each : chain) {
    if (!x509::is_self_issued(each)) pem += x509::to_pem(each);
  }
  return pem;
}

void add_usage(CLI::App& command, std::vector<std::string>& usages) {
  command.add_option("--usage", usages, "server (default), client; may be repeated")
      ->type_name("WHAT")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"server", "client"}).description(""));
}

x509::Purposes purposes_of(const std::vector<std::string>& usages) {
  if (usages.empty()) return {};
  const auto has = [&](const char* what) { return std::ranges::find(usages, what) != usages.end(); };
  return {has("server"), has("client")};
}

std::vector<x509::SubjectName> parse_names(const std::vector<std::string>& texts) {
  std::vector<x509::SubjectName> names;
  for (const std::string& text : texts) {
    auto name = x509::SubjectName::parse(text);
    if (!name) refuse_cert(config::printable(name.error().context));
    if (std::ranges::find(names, *name) == names.end()) names.push_back(std::move(*name));
  }
  return names;
}

std::string file_stem(const x509::SubjectName& name) {
  std::string stem = name.text.starts_with("*.") ? "_wildcard" + name.text.substr(1) : name.text;
  for (char& c : stem) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                          c == '-' || c == '_' || c == '@';
    if (!is_plain) c = '_';
  }
  return stem;
}

void add_force(CLI::App& command, bool& is_forced) {
  command.add_flag("-f,--force", is_forced, "Replace files that are there");
}

void tell_made(const x509::Certificate& certificate, const std::vector<std::string>& files, WallTime now) {
  const x509::CertificateFacts facts = x509::facts_of(certificate);
  std::string out;
  if (!facts.names.empty()) out += cert_field("names", joined(facts.names), 0);
  if (!facts.subject.empty()) out += cert_field("subject", facts.subject, 0);
  out += cert_field("issuer", facts.is_self_issued ? "itself" : facts.issuer, 0);
  out += cert_field("ends", fmt::format("{}, {}", time_text(facts.not_after), relative_time(facts.not_after, now)), 0);
  out += cert_field("key", facts.key, 0);
  for (const std::string& file : files) out += cert_field("written", file, 0);
  fmt::print(stderr, "{}", out);
}

}  // namespace rproxy::cli
