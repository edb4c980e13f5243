// The keys of clients' certificates: who is let in, where, and how upstreams are told.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/schema.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

using A = net::ClientAuth;
using C = proxy::ClientCertificateField;

// In the order of their enumerators.
constexpr std::array kModes{"required", "optional"};
constexpr std::array kFormats{"rfc9440", "pem", "xfcc"};

constexpr Key<A> kClientAuth[] = {
    one_of<kModes, &A::mode>("mode", "\"required\", or \"optional\": who has none comes in without"),
    special<A>("ca_file", "path", "PEM: the authorities whose certificates are taken",
               [](Problems& p, const Node& n, A& o) { decode_file(p, n, o.ca_file); }),
    special<A>("crl_file", "path",
               "PEM: lists of revoked certificates, one of each authority; read again when it changes",
               [](Problems& p, const Node& n, A& o) { decode_file(p, n, o.crl_file); }),
    ranged<0, 32, &A::verify_depth>("verify_depth", "authorities between a certificate and one of ca_file"),
    {"allow", "strings",
     "who may come in, such as \"dns:*.clients.shop.com\"; empty: whoever the authorities vouch for",
     [](Problems& p, const Node& n, A& o) { decode_name_rules(p, n, o.allow); },
     [](const A& o) { return render_name_rules(o.allow); }},
};

void decode_field_name(Problems& problems, const Node& node, C& out) {
  decode_value(problems, node, out.name);
  if (!node.is(Node::Kind::kString) || node.is_broken) return;
  const auto id = http::field_id(out.name);
  if (!http::is_token(out.name)) {
    problems.error("RP1004", node.at, fmt::format("not a header name: {}", shown(node)), "letters, digits and '-'");
  } else if (id != http::FieldId::kOther && id != http::FieldId::kClientCert) {
    problems.error("RP1004", node.at, fmt::format("{} means something else", shown(node)),
                   "\"Client-Cert\" (RFC 9440), or a name of your own such as \"X-SSL-Client-Cert\"");
  }
}

constexpr Key<C> kField[] = {
    {"header", "string", "its name; copies that clients send are dropped; default: as the format is usually called",
     decode_field_name, [](const C& o) { return render_value(o.name); }},
    one_of<kFormats, &C::format>("format", "\"rfc9440\", \"pem\" (in percent-encoding) or \"xfcc\" (Envoy's)"),
};

void add_rule(Problems& problems, const Node& node, x509::NameRules& out) {
  if (!expect(problems, node, Node::Kind::kString, "a rule", "such as \"dns:*.clients.shop.com\"")) return;
  auto rule = x509::NameRule::parse(node.text);
  if (rule) {
    out.push_back(std::move(*rule));
  } else {
    problems.error("RP1004", node.at, fmt::format("no rule for certificates: {}", shown(node)), rule.error().context);
  }
}

}  // namespace

Keys<net::ClientAuth> client_auth_keys() { return kClientAuth; }
Keys<proxy::ClientCertificateField> client_cert_field_keys() { return kField; }

void decode_name_rules(Problems& problems, const Node& node, x509::NameRules& out) {
  out.clear();
  if (node.is(Node::Kind::kString)) return add_rule(problems, node, out);
  if (!expect(problems, node, Node::Kind::kArray, "a rule or an array of rules", "[\"dns:*.clients.shop.com\"]"))
    return;
  if (node.items.empty() && node.is_whole())
    problems.error("RP1004", node.at, "nobody is named", "name somebody, or delete the key");
  for (const Node& item : node.items) {
    if (!item.is_broken) add_rule(problems, item, out);
  }
}

std::string render_name_rules(const x509::NameRules& from) {
  std::vector<std::string> texts;
  for (const auto& rule : from) texts.push_back(rule.text());
  return render_value(texts);
}

void decode_client_auth(Problems& problems, const Node& node, std::optional<A>& out) {
  decode_table<A>(problems, node, "client_auth", kClientAuth, out.emplace());
  if (!node.is(Node::Kind::kTable)) return;
  if (lacks(node, "ca_file", names_of(Keys<A>(kClientAuth))) && node.is_whole())
    problems.error("RP1005", node.at, "client_auth needs ca_file",
                   "ca_file = \"clients-ca.pem\"; `rproxy cert ca` makes one");
}

void decode_client_cert_field(Problems& problems, const Node& node, proxy::ForwardingOptions& out) {
  C& field = out.client_cert.emplace();
  if (node.is(Node::Kind::kBool)) {
    if (!node.flag) out.client_cert.reset();
  } else if (expect(problems, node, Node::Kind::kTable, "a boolean or a table",
                    "client_cert = true, or { header = \"X-SSL-Client-Cert\", format = \"pem\" }")) {
    decode_table<C>(problems, node, "client_cert", kField, field);
    // As those who know the format look for it.
    static constexpr std::array kUsualNames{"Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert"};
    if (lacks(node, "header", names_of(Keys<C>(kField))))
      field.name = kUsualNames.at(static_cast<std::size_t>(field.format));
  }
}

std::string render_client_cert_field(const proxy::ForwardingOptions& from) {
  return render_value(from.client_cert.has_value());
}

void decode_client_cert(Problems& problems, const Node& node, filter::ClientCertRule& out) {
  out = {true, {}};
  if (node.is(Node::Kind::kBool)) {
    out.is_needed = node.flag;
  } else {
    decode_name_rules(problems, node, out.allow);
  }
}

std::string render_client_cert(const filter::ClientCertRule& from) {
  return from.allow.empty() ? render_value(from.is_needed) : render_name_rules(from.allow);
}

}  // namespace rproxy::config
