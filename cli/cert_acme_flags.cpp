#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "acme/deploy_hook.h"
#include "cli/cert_acme.h"
#include "cli/diagnostics.h"
#include "config/load.h"
#include "config/text.h"
#include "jose/base64url.h"
#include "server/names_to_certify.h"

namespace rproxy::cli {
namespace {

using acme::ChallengeType;

bool has(const acme::Options& options, ChallengeType type) {
  return std::ranges::find(options.challenges, type) != options.challenges.end();
}

Duration parse_span(const char* option, const std::string& text) {
  const auto parsed = parse_duration(text);
  if (!parsed) refuse_cert(fmt::format("{}: {} is no time such as 30s", option, config::printable(text)));
  return *parsed;
}

HostPort door_at(const std::string& address, unsigned port) {
  const std::string host = address.find(':') != std::string::npos ? "[" + address + "]" : address;
  return *HostPort::parse(fmt::format("{}:{}", host, port));
}

std::string trimmed(std::string_view text) {
  constexpr const char* kBlank = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(kBlank), text.size());
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin));
}

}  // namespace

void AcmeFlags::add_to(CLI::App& command) {
  command.add_option("--config", config_, "Take [tls.acme] of this; flags go over it")->type_name("CONFIG");
  command.add_option("--directory", directory_, "URL, or letsencrypt (default), zerossl...")->type_name("SERVER");
  command.add_option("--storage", storage_, "Where all is kept (/var/lib/rproxy/acme)")->type_name("DIR");
}

void AcmeFlags::add_account_to(CLI::App& command) {
  command.add_option("--ca-file", ca_file_, "Trust these for the server itself (PEM)")->type_name("FILE");
  command
      .add_option_function<std::vector<std::string>>(
          "--email",
          [this](const std::vector<std::string>& given) {
            email_given_ = true;
            email_ = given;
          },
          "Where the authority writes to; repeatable")
      ->type_name("MAIL")
      ->allow_extra_args(false);
  command.add_option("--eab-kid", eab_kid_, "External account: its key's id")->type_name("ID");
  command.add_option("--eab-key-file", eab_key_file_, "External account: a file with its key")->type_name("FILE");
}

void AcmeFlags::add_proofs_to(CLI::App& command) {
  command.add_option("--challenge", challenges_, "http-01 (default), tls-alpn-01, dns-01")
      ->type_name("TYPE")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"http-01", "tls-alpn-01", "dns-01"}).description(""));
  command.add_option("--address", address_, "Answer there (all addresses)")->type_name("IP");
  command.add_option("--http-port", http_port_, "Answer http-01 there (80)")
      ->type_name("N")
      ->check(CLI::Range(1U, 65'535U).description(""));
  command.add_option("--tls-port", tls_port_, "Answer tls-alpn-01 there (443)")
      ->type_name("N")
      ->check(CLI::Range(1U, 65'535U).description(""));
  command.add_flag("--via-serve", via_serve_, "`rproxy serve` with that storage answers");
  command.add_option("--dns-hook", dns_hook_, "For dns-01: sets the record")->type_name("CMD");
  command.add_option("--dns-wait", dns_wait_, "From then until it is seen (30s)")->type_name("TIME");
  command.add_option("--key-type", key_type_, "p256, p384, rsa2048, rsa3072, rsa4096")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"p256", "p384", "rsa2048", "rsa3072", "rsa4096"}).description(""));
  command.add_option("--profile", profile_, "Of those the authority has")->type_name("NAME");
  command.add_option("--lock-wait", lock_wait_, "While another is at it (60s)")->type_name("TIME");
}

Duration AcmeFlags::lock_wait() const { return parse_span("--lock-wait", lock_wait_); }

AcmeChoice AcmeFlags::choose(bool wants_names) const {
  AcmeChoice out;
  if (!config_.empty()) take_config(out, wants_names);
  if (!directory_.empty()) {
    auto url = acme::parse_directory_url(directory_);
    if (!url) {
      std::string words;
      for (const auto& each : acme::kDirectories) words += fmt::format(", {}", each.word);
      refuse_cert(fmt::format("--directory: {} is neither an https URL nor one of{}", config::printable(directory_),
                              words.substr(1)));
    }
    out.options.directory = std::move(*url);
  }
  if (!storage_.empty()) out.options.storage = storage_;
  if (!ca_file_.empty()) out.options.ca_file = ca_file_;
  take_account(out.options);
  take_proofs(out.options, out.has_config);
  return out;
}

void AcmeFlags::take_config(AcmeChoice& out, bool wants_names) const {
  auto loaded = config::load(config_);
  if (!loaded.ok()) {
    print_diagnostics(loaded, config_);
    throw CertFailure{config_ + " is no valid configuration", kConfiguration, false};
  }
  if (!loaded.config.acme.enabled) throw CertFailure{config_ + " has no [tls.acme]", kConfiguration, false};
  out.has_config = true;
  out.options = loaded.config.acme;
  out.resolver = loaded.config.resolver;
  if (wants_names) out.names = take(server::names_to_certify(loaded.config));
}

void AcmeFlags::take_account(acme::Options& out) const {
  if (email_given_) {
    out.email = email_;
    std::erase(out.email, "");
  }
  if (eab_kid_.empty() != eab_key_file_.empty()) refuse_cert("--eab-kid and --eab-key-file go together");
  if (eab_kid_.empty()) return;
  const x509::Secret key = read_cert_file(eab_key_file_);
  std::string text = trimmed(key.view());
  // Some hand it out with padding.
  text.erase(std::min(text.find_last_not_of('=') + 1, text.size()));
  if (!jose::decode_base64url(text)) fail_cert(eab_key_file_ + ": the key is no Base64url");
  out.external_account = acme::ExternalAccount{eab_kid_, std::move(text)};
}

void AcmeFlags::take_proofs(acme::Options& out, bool has_config) const {
  if (!address_.empty() && !IpAddress::parse(address_))
    refuse_cert(fmt::format("--address: {} is no IP address", config::printable(address_)));
  if (!key_type_.empty()) out.key_type = *x509::parse_key_type(key_type_);
  if (!profile_.empty()) out.profile = profile_;
  if (!dns_hook_.empty()) out.dns_hook = acme::split_command(dns_hook_);
  if (!dns_wait_.empty()) out.dns_propagation = parse_span("--dns-wait", dns_wait_);
  if (!challenges_.empty()) {
    out.challenges.clear();
    for (const std::string& each : challenges_) out.challenges.push_back(*acme::parse_challenge_type(each));
  } else if (!dns_hook_.empty()) {
    out.challenges = {ChallengeType::kDns01};
  } else if (!has_config) {
    out.challenges = {ChallengeType::kHttp01};
  }
  if (has(out, ChallengeType::kDns01) && out.dns_hook.empty())
    refuse_cert("dns-01 needs a program that sets the record: --dns-hook");
  if (!via_serve_) return;
  std::erase(out.challenges, ChallengeType::kTlsAlpn01);
  if (out.challenges.empty())
    refuse_cert("--via-serve answers http-01: tls-alpn-01 is answered by who has asked for it");
}

acme::Standalone::Options AcmeFlags::doors(const acme::Options& options) const {
  acme::Standalone::Options doors;
  if (has(options, ChallengeType::kHttp01)) doors.http = door_at(address_, http_port_);
  if (has(options, ChallengeType::kTlsAlpn01)) doors.tls = door_at(address_, tls_port_);
  return doors;
}

}  // namespace rproxy::cli
