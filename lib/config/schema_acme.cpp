// The keys of [tls.acme]: certificates that are had from an ACME server.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/schema.h"
#include "x509/subject_name.h"

namespace rproxy::config {
namespace {

using O = acme::Options;
using acme::ChallengeType;
using acme::ExternalAccount;

constexpr std::array kChallenges{ChallengeType::kTlsAlpn01, ChallengeType::kHttp01, ChallengeType::kDns01};
// In the order of x509::KeyType; authorities that everybody knows sign no Ed25519.
constexpr std::array<const char*, 5> kKeyTypes{"p256", "p384", "rsa2048", "rsa3072", "rsa4096"};

void decode_directory(Problems& problems, const Node& node, O& out) {
  if (!expect(problems, node, Node::Kind::kString)) return;
  if (auto url = acme::parse_directory_url(node.text)) {
    out.directory = std::move(*url);
  } else {
    problems.error("RP1004", node.at, fmt::format("not the URL of a directory: {}", shown(node)),
                   fmt::format("such as {}", quote_toml(acme::kLetsEncrypt)));
  }
}

void add_challenge(Problems& problems, const Node& node, O& out) {
  std::vector<std::string> words;
  for (const ChallengeType type : kChallenges) words.emplace_back(to_string(type));
  const int word = decode_word(problems, node, words);
  if (word < 0) return;
  const ChallengeType type = kChallenges.at(static_cast<std::size_t>(word));
  if (std::ranges::find(out.challenges, type) == out.challenges.end()) out.challenges.push_back(type);
}

void decode_challenges(Problems& problems, const Node& node, O& out) {
  constexpr const char* kRemedy = "such as [\"tls-alpn-01\", \"http-01\"], the preferred first";
  out.challenges.clear();
  if (node.is(Node::Kind::kString)) return add_challenge(problems, node, out);
  if (!expect(problems, node, Node::Kind::kArray, "a challenge or an array of them", kRemedy)) return;
  for (const Node& item : node.items) add_challenge(problems, item, out);
  if (node.items.empty()) problems.error("RP1004", node.at, "no challenge is left", kRemedy);
}

std::string render_challenges(const O& from) {
  std::vector<std::string> names;
  for (const ChallengeType type : from.challenges) names.emplace_back(to_string(type));
  return render_value(names);
}

void decode_names(Problems& problems, const Node& node, O& out) {
  std::vector<std::string> written;
  decode_value(problems, node, written);
  for (const std::string& name : written) {
    const auto parsed = x509::SubjectName::parse(name);
    using Kind = x509::SubjectName::Kind;
    if (parsed && (parsed->kind == Kind::kDns || parsed->kind == Kind::kIp)) {
      out.names.push_back(parsed->text);
    } else {
      problems.error("RP1004", node.at,
                     fmt::format("not a name for a certificate: {}", is_secret(node) ? shown(node) : quote_toml(name)),
                     "write a host name, \"*.\" and one, or an address");
    }
  }
}

constexpr Key<ExternalAccount> kExternal[] = {
    key<&ExternalAccount::key_id>("key_id", "as the authority hands it out"),
    special<ExternalAccount>("hmac_key", "secret", "Base64url, as the authority hands it out",
                             [](Problems& p, const Node& n, ExternalAccount& o) { decode_value(p, n, o.hmac_key); }),
};

void decode_external(Problems& problems, const Node& node, O& out) {
  decode_table<ExternalAccount>(problems, node, "external_account", kExternal, out.external_account.emplace());
  if (!node.is(Node::Kind::kTable)) return;
  for (const char* const name : {"key_id", "hmac_key"}) {
    if (lacks(node, name, names_of(Keys<ExternalAccount>(kExternal))))
      problems.error("RP1005", node.at, fmt::format("an external account needs {}", name),
                     "external_account = { key_id = \"...\", hmac_key = \"${ACME_HMAC_KEY}\" }");
  }
}

using D = acme::OnDemandOptions;

void decode_hosts(Problems& problems, const Node& node, D& out) {
  decode_value(problems, node, out.hosts);
  for (std::string& host : out.hosts) {
    std::string name = x509::normal_dns_name(host, true);
    if (!name.empty()) {
      host = std::move(name);
      continue;
    }
    problems.error("RP1004", node.at, fmt::format("not a host: {}", is_secret(node) ? shown(node) : quote_toml(host)),
                   "\"shop.com\", or \"*.shop.com\" for all below it");
  }
}

void decode_ask(Problems& problems, const Node& node, D& out) {
  decode_value(problems, node, out.ask);
  if (!node.is(Node::Kind::kString) || node.is_broken || upstream::Url::parse(out.ask)) return;
  problems.error("RP1004", node.at, fmt::format("not a URL: {}", shown(node)),
                 "such as \"http://127.0.0.1:9000/known\"");
}

constexpr Key<D> kOnDemand[] = {
    {"hosts", "strings", "that it is done for, \"*.shop.com\" for all below it; none: `ask` alone says", decode_hosts,
     [](const D& o) { return render_value(o.hosts); }},
    special<D>("ask", "string", "a URL that answers 200 to ?domain=NAME where it is to be done", decode_ask),
    lasting<&D::wait>("wait", "how long a handshake waits for the certificate"),
    ranged<1, 1'000'000, &D::names_max>("max_names", "certificates in all that are had so"),
};

// Else anybody could have any number made, and use up what the authority allows.
void decode_on_demand(Problems& problems, const Node& node, O& out) {
  decode_table<D>(problems, node, "on_demand", kOnDemand, out.on_demand.emplace());
  if (!node.is(Node::Kind::kTable)) return;
  const std::vector<std::string> known = names_of(Keys<D>(kOnDemand));
  if (lacks(node, "hosts", known) && lacks(node, "ask", known)) {
    problems.error("RP1005", node.at, "on_demand needs hosts or ask",
                   "hosts = [\"*.customers.shop.com\"], or ask = \"http://127.0.0.1:9000/known\"");
  }
}

constexpr Key<O> kAcme[] = {
    key<&O::email>("email", "where the authority writes to; with it its terms of service are agreed to"),
    {"directory", "string",
     "the ACME server's directory, a URL, or letsencrypt, letsencrypt-staging, zerossl, google, google-staging",
     decode_directory, [](const O& from) { return render_value(from.directory); }},
    {"challenges", "strings", "how names are proven, the preferred first: tls-alpn-01, http-01, dns-01",
     decode_challenges, render_challenges},
    one_of<kKeyTypes, &O::key_type>("key_type", "of the certificates' keys"),
    special<O>("external_account", "table", "for authorities that want one: key_id and hmac_key", decode_external),
    key<&O::profile>("profile", "of those that the directory names; empty: the usual one"),
    special<O>("names", "strings", "beside the hosts of the routes", decode_names),
    special<O>("on_demand", "table", "certificates for names that clients ask for first: hosts, ask, wait, max_names",
               decode_on_demand),
    special<O>("storage", "path",
               "the directory for the account, keys and certificates; several instances may share it",
               [](Problems& p, const Node& n, O& o) { decode_file(p, n, o.storage); }),
    special<O>("ca_file", "path",
               "PEM: whom the directory's own certificate is held against; default: the system's authorities",
               [](Problems& p, const Node& n, O& o) { decode_file(p, n, o.ca_file); }),
    ranged<0, 95, &O::renew_percent>(
        "renew_percent",
        "of its life a certificate is renewed, where the server does not say when; 0: 66, or 50 of less than ten days"),
    lasting<&O::retry>("retry", "until the next attempt when one has failed; twice as long each time"),
    key<&O::dns_hook>(
        "dns_hook",
        "for dns-01: a program and its arguments, run with present or cleanup, the record's name and its value"),
    lasting<&O::dns_hook_timeout>("dns_hook_timeout", "how long it may take"),
    key<&O::dns_propagation>("dns_propagation", "from its end until the record can be seen by all"),
};

}  // namespace

void decode_acme(Problems& problems, const Node& node, O& out) {
  out.enabled = true;
  decode_table<O>(problems, node, "[tls.acme]", kAcme, out);
  const bool by_dns = std::ranges::find(out.challenges, ChallengeType::kDns01) != out.challenges.end();
  const auto wildcard = std::ranges::find_if(out.names, [](const std::string& name) { return name.starts_with("*."); });
  if (wildcard != out.names.end() && !by_dns) {
    const Node& names = *node.find("names");
    problems.error("RP1006", names.at,
                   fmt::format("{} can't be proven but by dns-01", is_secret(names) ? shown(names) : *wildcard),
                   "challenges = \"dns-01\" with dns_hook, or the hosts one by one");
  }
  if (by_dns && out.dns_hook.empty() && node.is_whole()) {
    problems.error("RP1005", node.at, "dns-01 needs dns_hook",
                   "dns_hook = [\"/etc/rproxy/dns-hook\"], which sets the record");
  }
}

Keys<O> acme_keys() { return kAcme; }
Keys<acme::OnDemandOptions> on_demand_keys() { return kOnDemand; }
Keys<ExternalAccount> external_account_keys() { return kExternal; }

}  // namespace rproxy::config
