// rproxy cert acme issue, and rproxy cert acme renew.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <utility>

#include "cli/cert_acme_making.h"
#include "cli/output.h"
#include "config/text.h"
#include "x509/subject_name.h"

namespace rproxy::cli {
namespace {

using acme::ChallengeType;
using Item = AcmeMaking::Item;

constexpr const char* kCodes =
    "Exit codes: 0 there is a new certificate, 1 failure, 2 usage, 3 configuration,\n4 cannot bind, 5 nothing was due.";

// What can't come to anything is said before anybody is asked.
std::string checked_name(const std::string& text, const std::vector<ChallengeType>& challenges) {
  using Kind = x509::SubjectName::Kind;
  const auto name = x509::SubjectName::parse(text);
  if (!name || (name->kind != Kind::kDns && name->kind != Kind::kIp)) {
    refuse_cert(fmt::format("{} is no name for a certificate: write a host name, \"*.\" and one, or an address",
                            config::printable(text)));
  }
  const bool has_dns = std::ranges::find(challenges, ChallengeType::kDns01) != challenges.end();
  if (name->text.starts_with("*.") && !has_dns)
    refuse_cert(name->text + " can't be proven but by dns-01: --challenge dns-01 --dns-hook CMD");
  if (name->kind == Kind::kIp && has_dns && challenges.size() == 1)
    refuse_cert(name->text + " can't be proven by dns-01: --challenge http-01 or tls-alpn-01");
  return name->text;
}

std::vector<std::string> checked_names(const std::vector<std::string>& texts, const acme::Options& options) {
  std::vector<std::string> names;
  for (const std::string& text : texts) {
    std::string name = checked_name(text, options.challenges);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

// Each for itself, as serve has them.
std::vector<Item> one_each(const std::vector<std::string>& names) {
  std::vector<Item> items;
  for (const std::string& name : names) items.push_back({{name}, false});
  return items;
}

class Issue final : public Command {
 public:
  explicit Issue(CLI::App& acme) {
    auto* command = acme.add_subcommand("issue", "Have a certificate made");
    command->add_option("name", names_, "Host names, *.names, addresses")->type_name("NAME");
    making_.add_to(*command);
    command->add_flag("--each", is_each_, "A certificate for each, not one for all");
    command->footer(
        "Of a CONFIG without names: those of its routes, each for itself. One that is\n"
        "there for the same names and not due is left, unless --force is said.\n" +
        std::string(kCodes));
  }

  int run() override {
    const AcmeChoice choice = making_.flags().choose(names_.empty());
    if (names_.empty() && !choice.has_config) refuse_cert("a name is missing, such as shop.com, or --config");
    const auto names = checked_names(names_.empty() ? choice.names : names_, choice.options);
    if (names.empty()) fail_cert("the configuration has no names that a certificate is to be had for");
    const bool is_each = is_each_ || names_.empty();
    return making_.run(choice, is_each ? one_each(names) : std::vector<Item>{{names, false}});
  }

 private:
  std::vector<std::string> names_;
  AcmeMaking making_;
  bool is_each_ = false;
};

class Renew final : public Command {
 public:
  explicit Renew(CLI::App& acme) {
    auto* command = acme.add_subcommand("renew", "Renew certificates that are due");
    command->add_option("name", names_, "Only these (all that are kept)")->type_name("NAME");
    making_.add_to(*command);
    command->footer(
        "Due is what the authority says (RFC 9773), or two thirds of the lifetime. Of a\n"
        "CONFIG without names: those of its routes; what is not there yet is issued.\n" +
        std::string(kCodes));
  }

  int run() override {
    const AcmeChoice choice = making_.flags().choose(names_.empty());
    const acme::Options& options = choice.options;
    std::vector<std::string> kept;
    if (acme::Store::has(options.storage, options.directory))
      kept = take(acme::Store::open(options.storage, options.directory)).names();
    const bool is_of_config = names_.empty() && choice.has_config;
    std::vector<Item> items;
    for (const std::string& name : is_of_config ? choice.names : names_.empty() ? kept : names_) {
      const std::string known = find(name, kept);
      if (known.empty() && !is_of_config) fail_unknown(name, options);
      items.push_back(known.empty() ? Item{{checked_name(name, options.challenges)}, false} : item_of(known, choice));
    }
    if (items.empty()) tell_none(options);
    return making_.run(choice, std::move(items));
  }

 private:
  static std::string find(const std::string& text, const std::vector<std::string>& kept) {
    const auto name = x509::SubjectName::parse(text);
    const auto found = std::ranges::find(kept, name ? name->text : text);
    return found != kept.end() ? *found : std::string();
  }

  // With the names it has, which a dry run is to try.
  static Item item_of(const std::string& name, const AcmeChoice& choice) {
    const auto store = take(acme::Store::open(choice.options.storage, choice.options.directory));
    const auto key = store.certificate(name);
    if (!key || *key == nullptr) return {{name}, true};
    return {acme::names_of((*key)->leaf(), name), true};
  }

  [[noreturn]] static void fail_unknown(const std::string& name, const acme::Options& options) {
    fail_cert(fmt::format("there is no certificate {} of {} in {}: `rproxy cert acme list` shows them",
                          config::printable(name), options.directory, options.storage));
  }

  // To standard error: it is no result.
  static void tell_none(const acme::Options& options) {
    fmt::print(stderr, "there are no certificates of {} in {}\n", options.directory, options.storage);
    const auto servers = acme::Store::servers(options.storage);
    if (!servers.empty())
      fmt::print(stderr, "  there may be some of {}: say its --directory\n", config::printable(joined(servers)));
  }

  std::vector<std::string> names_;
  AcmeMaking making_;
};

}  // namespace

std::unique_ptr<Command> make_cert_acme_issue(CLI::App& acme) { return std::make_unique<Issue>(acme); }
std::unique_ptr<Command> make_cert_acme_renew(CLI::App& acme) { return std::make_unique<Renew>(acme); }

}  // namespace rproxy::cli
